#pragma once

/* Takes the global options off the command line, finds the command and runs it. Returns: the
 * program's exit code. */
int command_line_run(int argc, char **argv);
