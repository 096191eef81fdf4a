// Finding the sample data.

import Platform

/// Where the sample data is.
///
/// Looked for in `Data` of the working directory and of the folders above it, then beside the
/// program and above: a program built by SwiftPM lies inside the package.
///
/// - Parameter named: A folder that the user named; nothing else is looked at then.
func sampleFolder(named: String?) throws(CommandError) -> String {
    if let named {
        guard holdsSample(named) else {
            throw .failed("\(named) has no sample data: no \(sampleFiles.joined(separator: ", "))")
        }
        return named
    }
    for folder in candidates(program: programPath()) where holdsSample(folder) { return folder }
    throw .failed(
        "the folder Data with the sample is neither here nor above nor near the program: "
            + "run the demo in the package's folder, or say --data-folder DIR")
}

/// The files without which there is no demo.
private let sampleFiles = ["items.csv", "stock.csv.zst", "events.ndjson.zst"]

private func candidates(program: String?) -> [String] {
    var folders = ["Data", "../Data", "../../Data", "../../../Data"]
    var path = (program ?? "")[...]
    while let slash = path.lastIndex(of: "/") {
        path = path[..<slash]
        folders.append("\(path)/Data")
    }
    return folders
}

private func holdsSample(_ folder: String) -> Bool {
    sampleFiles.allSatisfy { name in
        do throws(SystemError) {
            _ = try FileReader("\(folder)/\(name)")
            return true
        } catch {
            return false
        }
    }
}
