import Service

let demoCommand = Subcommand(
    name: "demo", usage: "", summary: "", options: [], notes: ""
) { (arguments, console) throws(CommandError) in .done }
