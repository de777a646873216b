//! The library's own clients against the sandbox: each proves the other.

#[cfg(feature = "ai")]
mod ai {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use futures_util::StreamExt;
    use xynergy_core::client::{AiClient, AiParts};
    use xynergy_core::config::{AiConfig, ProviderConfig, Secret, SecretRef, StaticSecrets};
    use xynergy_core::embed::EmbedRequest;
    use xynergy_core::provider::{ChatRequest, GenerateRequest, Outcome};
    use xynergy_core::registry::ProviderParts;
    use xynergy_core::{Ctx, Env, TenantId};
    use xynergy_providers::http::ReqwestHttp;
    use xynergy_providers::sandbox::SandboxLog;

    use crate::support::{World, start, start_with};

    fn client(world: &World) -> (AiClient, Ctx) {
        let urls = world.sandbox.urls();
        let provider = |url: &String| ProviderConfig {
            base_url: Some(url.clone()),
            api_key: Some(SecretRef::Env("KEY".into()).into()),
            ..ProviderConfig::default()
        };
        let providers: BTreeMap<_, _> =
            [("abacus", &urls.abacus), ("openai", &urls.openai), ("internal", &urls.internal)]
                .map(|(name, url)| (name.to_owned(), provider(url)))
                .into();
        let config = AiConfig { providers, ..AiConfig::default() };
        let secrets = StaticSecrets::default().with("KEY", Secret::new("sandbox"));
        let parts = ProviderParts { http: Arc::new(ReqwestHttp::new()), secrets: Arc::new(secrets) };
        let built = xynergy_providers::registry::providers().build_all(&config.providers, &parts).unwrap();
        let client = AiClient::new(config, AiParts::new(built)).unwrap();
        (client, Ctx::new(&Env::default(), TenantId::default()))
    }

    #[tokio::test]
    async fn asks_once_and_is_told_the_facts() {
        let world = start().await;
        let (client, ctx) = client(&world);
        let prompt = "Tell an advertiser in one sentence: a change of a daily budget was applied.";
        for hit in [false, true] {
            let answer = client.generate(&ctx, GenerateRequest::new(prompt)).await.unwrap();
            assert_eq!(answer.text, "A change of a daily budget was applied.");
            assert_eq!((answer.provider.as_str(), answer.cache_hit), ("internal", hit));
        }
        let state = world.sandbox.state().await.unwrap();
        assert_eq!(state.requests, 1);
    }

    #[tokio::test]
    async fn embeds_more_texts_than_one_request_takes() {
        let world = start().await;
        let (client, ctx) = client(&world);
        let mut texts: Vec<String> = (0..1_100).map(|number| format!("advert {number}")).collect();
        texts[1_050] = texts[3].clone();
        let request = EmbedRequest { dimensions: Some(16), ..EmbedRequest::new(texts.clone()) };
        let told = client.embed(&ctx, request).await.unwrap();
        assert_eq!((told.vectors.len(), told.dimensions, told.attempts.len()), (1_100, 16, 2));
        assert_eq!((told.provider.as_str(), told.model.as_str()), ("openai", "text-embedding-3-small"));
        assert_eq!(told.vectors[1_050], told.vectors[3]);
        let tokens = texts.iter().map(|text| text.len().div_ceil(4) as u64).sum::<u64>();
        assert_eq!((told.tokens_used, told.cost_nano_usd), (tokens, Some(20 * tokens)));

        // A server that answers with numbers gives the same vectors as one that answers with base64.
        let own = EmbedRequest {
            model: "internal/own".into(),
            dimensions: Some(16),
            ..EmbedRequest::new(["advert 7"])
        };
        assert_eq!(client.embed(&ctx, own).await.unwrap().vectors[0], told.vectors[7]);
        assert_eq!(world.sandbox.state().await.unwrap().requests, 3);
    }

    #[tokio::test]
    async fn falls_back_from_cuts_and_errors() {
        let faults = r#"[{"path":"/internal/v1/*","fault":{"cut":"before"}},{"path":"/abacus/v1/*","fault":{"status":401}}]"#;
        let world = start_with(faults, SandboxLog::Memory).await;
        let (client, ctx) = client(&world);
        let answer = client.generate(&ctx, GenerateRequest::new("Hello?")).await.unwrap();
        assert_eq!(answer.provider, "openai");
        assert_eq!(answer.outcome, Outcome::Complete);
    }

    #[tokio::test]
    async fn a_cut_stream_is_not_complete() {
        let world =
            start_with(r#"[{"path":"/v1/*","nth":2,"fault":{"cut_stream_at":4}}]"#, SandboxLog::Memory).await;
        let (client, ctx) = client(&world);
        for whole in [true, false] {
            let request = ChatRequest::prompt(format!("Say: one two three four five six, {whole}"));
            let mut stream = client.stream(&ctx, request).await.unwrap();
            let mut outcome = None;
            while let Some(chunk) = stream.next().await {
                match chunk {
                    Ok(chunk) => outcome = chunk.outcome.or(outcome),
                    Err(_) => outcome = Some(Outcome::Errored),
                }
            }
            assert_eq!(outcome == Some(Outcome::Complete), whole, "{outcome:?}");
        }
    }
}

#[cfg(feature = "hubspot")]
#[tokio::test]
async fn hubspots_deals_are_read_with_their_contacts() {
    use std::sync::Arc;

    use xynergy_core::config::{Secret, StaticSecrets};
    use xynergy_core::crm::Crm;
    use xynergy_core::{Ctx, Env, TenantId};
    use xynergy_providers::crm::hubspot::{Hubspot, HubspotConfig};
    use xynergy_providers::http::ReqwestHttp;

    let world = crate::support::start().await;
    let config = HubspotConfig { base_url: world.sandbox.urls().hubspot.clone(), ..HubspotConfig::default() };
    let secrets = StaticSecrets::default().with("HUBSPOT_ACCESS_TOKEN", Secret::new("sandbox"));
    let properties = vec!["xynergy_consent".to_owned()];
    let hubspot = Hubspot::new(config, properties, Arc::new(ReqwestHttp::new()), Arc::new(secrets)).unwrap();
    let ctx = Ctx::new(&Env::default(), TenantId::default()).with_request_id("req_crm");
    let ids: Vec<String> = ["101", "102", "999"].map(str::to_owned).into();
    let deals = hubspot.deals(&ctx, &ids).await.unwrap();
    assert_eq!(deals.keys().collect::<Vec<_>>(), ["101", "102"], "the CRM lacks the third");
    assert_eq!(
        (deals["101"].contacts.as_slice(), deals["102"].contacts.len()),
        (["201", "202"].map(str::to_owned).as_slice(), 0)
    );
    let contacts = hubspot.contacts(&ctx, &deals["101"].contacts).await.unwrap();
    assert_eq!(contacts["201"].property("xynergy_consent"), Some("true"));
    xynergy_core::conformance::crm(&hubspot, &ctx, &deals, &contacts).await;
    let log = world.client.get("/_sandbox/log").await.text;
    assert!(log.contains("req_crm") && !log.contains("\"status\":4"), "{log}");
}
