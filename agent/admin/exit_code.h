#pragma once

/* How every command of `sealtape` ends; part of its contract (docs/cli.md). */
typedef enum {
    EXIT_CODE_OK = 0,
    EXIT_CODE_FAILED = 1,
    EXIT_CODE_USAGE = 2,    /* the command line is wrong */
    EXIT_CODE_FINDINGS = 3, /* done, and something about the recording is wrong or missing */
} ExitCode;
