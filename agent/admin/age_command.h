#pragma once

/* `sealtape age`: keygen, encrypt and decrypt, for files that have nothing to do with a recording,
 * with the options of age itself. `argv`: starts with "age". Returns: the exit status: 0, 1 with
 * one sentence on standard error, 2 for wrong usage. */
int age_command_run(int argc, char **argv);
