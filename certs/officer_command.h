#pragma once

/* officer_command_main - `concordat-authority officer …`: argv begins with "officer". Returns an exit code.
 */
int officer_command_main(int argc, char **argv);
