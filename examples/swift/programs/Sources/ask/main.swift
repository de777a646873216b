// Asks a question of the sandbox, then streams an answer. Needs no key and no network.
import Xynergy

// region: ask
let sandbox = try await Sandbox.start()
let client = try Client(sandbox.configuration, secrets: sandbox.secrets)

let answer = try await client.ai.generate("Explain in one line: your budget fell.")
print(answer.text)
print("by \(answer.provider) for \(answer.costNanoUsd ?? 0) billionths of a dollar")
// endregion: ask

// region: stream
for try await chunk in client.ai.stream(.prompt("Write 20 words about a budget.")) {
    print(chunk.text, terminator: "")
}
print()
// endregion: stream

// region: errors
do {
    _ = try await client.ai.generate("Hello", temperature: 9)
} catch let error as XynergyError where error.kind == .invalidInput {
    print("refused: \(error.message)")
}
// endregion: errors

try await client.close()
await sandbox.stop()
