// Writes the sample: an invented retailer and one busy day of it.

import Foundation
import SampleData

let exitStatus = run(Array(CommandLine.arguments.dropFirst()))
exit(exitStatus)
