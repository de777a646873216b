import Foundation
import XCTest
import Xynergy

final class ValueTests: XCTestCase {
    func testJSONKeepsEveryBitOfAnInteger() throws {
        let text = #"{"a":9223372036854775807,"b":18446744073709551615,"c":-9223372036854775808,"d":[true,null,0.5,"x"]}"#
        let value = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
        XCTAssertEqual(value["a"], .int(.max))
        XCTAssertEqual(value["b"], .unsigned(.max))
        XCTAssertEqual(value["c"], .int(.min))
        XCTAssertEqual(value["d"], [true, nil, 0.5, "x"])
        XCTAssertEqual(try JSONValue(encoding: value), value)
        XCTAssertEqual(try canonicalJSON(value), text + "\n")
    }

    func testFieldsThatThisVersionDoesNotKnowAreKept() throws {
        let text = #"{"messages":[{"role":"user","content":"hi","name":"Ann"}],"logit_bias":{"50256":-100},"seed":18446744073709551615}"#
        let request = try JSONDecoder().decode(ChatRequest.self, from: Data(text.utf8))
        XCTAssertEqual(request.messages[0].additional["name"], "Ann")
        XCTAssertEqual(request.additional["seed"], .unsigned(.max))
        let again = try JSONDecoder().decode(ChatRequest.self, from: JSONEncoder().encode(request))
        XCTAssertEqual(again, request)
        XCTAssertEqual(try JSONValue(encoding: request)["logit_bias"]?["50256"], -100)
    }

    func testNamesAreCamelInSwiftAndSnakeInJSON() throws {
        let constraints = Constraints(totalDailyMinor: .max, minMinor: 1, maxMinor: 2)
        XCTAssertEqual(
            try canonicalJSON(constraints), #"{"max_minor":2,"min_minor":1,"total_daily_minor":9223372036854775807}"# + "\n")
    }

    func testChoicesRoundTrip() throws {
        let owner = KillScopeOwner(accountId: "act_1", owner: Owner(level: .adset, id: "9"))
        for (scope, json): (KillScope, JSONValue) in [
            (.tenant, "tenant"), (.account("act_1"), ["account": "act_1"]),
            (.owner(owner), ["owner": ["account_id": "act_1", "owner": ["level": "adset", "id": "9"]]]),
            (.unknown(["planet": 3]), ["planet": 3]),
        ] {
            XCTAssertEqual(try JSONValue(encoding: scope), json)
            XCTAssertEqual(try json.decoded(as: KillScope.self), scope)
        }
        let blocked = PlannedOutcome.blocked(reason: .velocity, retryAt: try Timestamp("2026-03-01T12:00:00Z"))
        XCTAssertEqual(
            try JSONValue(encoding: blocked), ["verdict": "blocked", "reason": "velocity", "retry_at": "2026-03-01T12:00:00Z"])
        XCTAssertEqual(try JSONValue(encoding: blocked).decoded(as: PlannedOutcome.self), blocked)
        XCTAssertEqual(try JSONValue("a text").decoded(as: Content.self), .text("a text"))
        XCTAssertEqual(try ([["type": "text", "text": "x"]] as JSONValue).decoded(as: Content.self).plainText, "x")
    }

    func testNamesOfALaterVersionAreKept() throws {
        XCTAssertEqual(try JSONValue("sideways").decoded(as: Reason.self).rawValue, "sideways")
        XCTAssertFalse(Reason.known.contains(Reason(rawValue: "sideways")))
    }

    func testTimesAreExactToTheMicrosecond() throws {
        let time = try Timestamp("2026-03-01T13:00:00.000250+01:00")
        XCTAssertEqual(time.description, "2026-03-01T12:00:00.00025Z")
        XCTAssertEqual(try JSONValue(encoding: time).decoded(as: Timestamp.self), time)
        XCTAssertEqual(Timestamp(time.date), time)
        XCTAssertThrowsError(try Timestamp("yesterday")) { error in
            XCTAssertEqual((error as? XynergyError)?.kind, .invalidInput)
        }
        XCTAssertThrowsError(try JSONValue("yesterday").decoded(as: Timestamp.self))
    }

    func testWhatIsMissingInAnAnswerIsNamed() {
        XCTAssertThrowsError(try (["rows": 1, "chain_ok": true] as JSONValue).decoded(as: AuditReport.self)) { error in
            XCTAssertTrue("\(error)".contains("open_intents"), "\(error)")
        }
    }

    func testSecretsAreNeverShown() {
        let secrets: Secrets = ["KEY": "hush"]
        XCTAssertFalse("\(secrets) \(String(reflecting: secrets))".contains("hush"))
        var dumped = ""
        dump(secrets, to: &dumped)
        XCTAssertFalse(dumped.contains("hush"), dumped)
    }
}
