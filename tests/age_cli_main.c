#include "agent/admin/age_command.h"

/* `sealtape age` alone, as a program: age_cli_main OPTIONS... */
int
main(int argc, char **argv)
{
    static char name[] = "age";

    argv[0] = name;
    return age_command_run(argc, argv);
}
