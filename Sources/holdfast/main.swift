// The program: `holdfast <subcommand>`.

import Glibc

exit(runHoldfast(Array(CommandLine.arguments.dropFirst())))
