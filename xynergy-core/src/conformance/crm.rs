use std::collections::BTreeMap;

use crate::crm::{Contact, Crm, Deal};
use crate::ctx::Ctx;

/// The behaviour of a [`Crm`] that holds exactly these deals and contacts, at least one of each, with these properties
/// among those that it reads.
///
/// # Panics
/// At the first behaviour that differs.
pub async fn crm(
    crm: &dyn Crm,
    ctx: &Ctx,
    deals: &BTreeMap<String, Deal>,
    contacts: &BTreeMap<String, Contact>,
) {
    assert!(crm.deals(ctx, &[]).await.unwrap().is_empty(), "asked for nothing, it answers nothing");
    assert!(crm.contacts(ctx, &[]).await.unwrap().is_empty(), "asked for nothing, it answers nothing");

    let absent = "999999999999".to_owned();
    let mut ids: Vec<String> = deals.keys().cloned().collect();
    ids.push(absent.clone());
    // More than any API takes in one call: splitting is the backend's matter.
    let many: Vec<String> = ids.iter().cycle().take(ids.len().max(250)).cloned().collect();
    for asked in [&ids, &many] {
        let read = crm.deals(ctx, asked).await.unwrap();
        assert_eq!(
            read.keys().collect::<Vec<_>>(),
            deals.keys().collect::<Vec<_>>(),
            "an absent deal is left out"
        );
        for (id, deal) in deals {
            assert_eq!(read[id].contacts, deal.contacts, "the contacts of deal {id}");
            for name in deal.properties.keys() {
                assert_eq!(read[id].property(name), deal.property(name), "{name} of deal {id}");
            }
        }
    }

    let mut ids: Vec<String> = contacts.keys().cloned().collect();
    ids.push(absent);
    let read = crm.contacts(ctx, &ids).await.unwrap();
    assert_eq!(
        read.keys().collect::<Vec<_>>(),
        contacts.keys().collect::<Vec<_>>(),
        "an absent contact is left out"
    );
    for (id, contact) in contacts {
        for name in contact.properties.keys() {
            assert_eq!(read[id].property(name), contact.property(name), "{name} of contact {id}");
        }
    }
}
