// The whole loop on one command: ad clicks and CRM webhooks in, guarded budget changes out.
//
// Needs no keys, no servers and no network: the AI providers, the ad platform and the CRM are a sandbox on loopback. With `--json`
// it prints the very bytes that the same run prints in every other language.
import Foundation
import Xynergy

do {
    let options = try CommandLineOptions(CommandLine.arguments.dropFirst())
    let inputs = try Inputs(options)
    let run = try await Run(options, inputs)
    try await run.go()
    let report = try await run.report()
    await run.end()
    for problem in run.problems {
        FileHandle.standardError.write(Data("skipped: \(problem)\n".utf8))
    }
    print(options.json ? try canonicalJSON(report) : report.summary, terminator: "")
} catch let error as WrongUse {
    FileHandle.standardError.write(Data("closed_loop: \(error.message)\n".utf8))
    exit(2)
} catch {
    FileHandle.standardError.write(Data("closed_loop: \(error)\n".utf8))
    exit(1)
}
