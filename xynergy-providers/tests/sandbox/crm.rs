use serde_json::json;

use crate::support::{NOON, start};

#[tokio::test]
async fn reads_one_object() {
    let world = start().await;
    for prefix in ["", "/hubspot"] {
        let path = format!(
            "{prefix}/crm/v3/objects/deals/101?properties=dealstage,amount&properties=pipeline&associations=contacts"
        );
        let deal = world.client.get(&path).await;
        assert_eq!(deal.status, 200);
        assert_eq!(
            deal.json(),
            json!({
                "id": "101",
                "properties": {
                    "dealstage": "closedwon", "amount": "120.5", "pipeline": null, "hs_object_id": "101", "createdate": NOON,
                },
                "createdAt": NOON, "updatedAt": NOON, "archived": false,
                "associations": {"contacts": {"results": [
                    {"id": "201", "type": "deal_to_contact"}, {"id": "202", "type": "deal_to_contact"},
                ]}},
            })
        );
    }
    let contact = world.client.get("/crm/v3/objects/contacts/201?properties=xynergy_consent").await.json();
    assert_eq!(contact["properties"]["xynergy_consent"], "true");
    let missing = world.client.get("/crm/v3/objects/deals/999").await;
    assert_eq!((missing.status, &missing.json()["category"]), (404, &json!("OBJECT_NOT_FOUND")));
    assert_eq!(world.client.get("/crm/v3/objects/tickets/1").await.status, 404);
}

#[tokio::test]
async fn reads_batches() {
    let world = start().await;
    let read = async |path: &str, body| world.client.post(path, &body).await;
    let path = "/hubspot/crm/v3/objects/deals/batch/read";
    let both = read(
        path,
        json!({"inputs": [{"id": "101"}, {"id": 102}, {"id": "101"}], "properties": ["dealstage"]}),
    )
    .await;
    assert_eq!((both.status, both.json()["results"].as_array().unwrap().len()), (200, 2));
    assert_eq!(both.json()["results"][1]["properties"]["dealstage"], "appointmentscheduled");
    let some = read(path, json!({"inputs": [{"id": "101"}, {"id": "7"}]})).await;
    assert_eq!((some.status, &some.json()["numErrors"]), (207, &json!(1)));
    assert_eq!(some.json()["errors"][0]["context"]["ids"], json!(["7"]));

    let path = "/crm/v4/associations/deals/contacts/batch/read";
    let contacts = read(path, json!({"inputs": [{"id": "101"}, {"id": "102"}]})).await;
    assert_eq!(contacts.status, 207);
    let body = contacts.json();
    assert_eq!(
        (&body["results"][0]["from"]["id"], &body["results"][0]["to"][0]["toObjectId"]),
        (&json!("101"), &json!(201))
    );
    assert_eq!(body["errors"][0]["subCategory"], "crm.associations.NO_ASSOCIATIONS_FOUND");
}

#[tokio::test]
async fn refuses_in_hubspots_words() {
    let world = start().await;
    let path = "/crm/v3/objects/deals/batch/read";
    let many: Vec<_> = (0..101).map(|id| json!({"id": id})).collect();
    for body in [json!({"inputs": many}), json!({"inputs": []}), json!({}), json!({"inputs": [{"nr": 1}]})] {
        let answer = world.client.post(path, &body).await;
        assert_eq!((answer.status, &answer.json()["category"]), (400, &json!("VALIDATION_ERROR")));
        assert!(answer.json()["correlationId"].is_string());
    }
    let broken = world.client.request("POST", path).body("{");
    assert_eq!(world.client.try_send(broken).await.unwrap().status, 400);
    let url = format!("{}/crm/v3/objects/deals/101", world.client.base);
    let keyless = world.client.try_send(world.client.http.get(&url)).await.unwrap();
    assert_eq!((keyless.status, &keyless.json()["category"]), (401, &json!("INVALID_AUTHENTICATION")));
    let expired = world.client.http.get(&url).header("authorization", "Bearer expired");
    assert_eq!(world.client.try_send(expired).await.unwrap().status, 401);
}
