use sha2::{Digest, Sha256};

use crate::ctx::TenantId;
use crate::provider::{ChatRequest, Role};

/// So much of a message is read: what differs only after it shares its prefix, which is what caches of providers go by.
const READ_BYTES: usize = 4 * 1024;

/// A name for the conversation of a request on a route, the same in every process: by the caller's session, or else by what is said
/// up to the first message of the user, which every later turn repeats.
pub(super) fn key(tenant: &TenantId, route: &str, request: &ChatRequest) -> u128 {
    let mut hash = Sha256::new();
    let mut add = |text: &str| {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(&text.as_bytes()[..text.len().min(READ_BYTES)]);
    };
    add(tenant.as_str());
    add(route);
    if let Some(session) = &request.options.session {
        add("session");
        add(session);
    } else {
        add("messages");
        for message in &request.messages {
            add(message.role.as_str());
            message.texts().for_each(&mut add);
            if message.role == Role::User {
                break;
            }
        }
    }
    let digest: [u8; 32] = hash.finalize().into();
    let mut first = [0; 16];
    first.copy_from_slice(&digest[..16]);
    u128::from_be_bytes(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::{CallOptions, Message};

    fn of(tenant: &str, route: &str, request: &ChatRequest) -> u128 {
        key(&TenantId::new(tenant).unwrap(), route, request)
    }

    fn said(texts: &[(Role, &str)]) -> ChatRequest {
        let messages = texts.iter().map(|(role, text)| Message::text(role.clone(), *text)).collect();
        ChatRequest { messages, ..ChatRequest::default() }
    }

    #[test]
    fn later_turns_are_of_the_same_conversation() {
        let first = said(&[(Role::System, "be brief"), (Role::User, "hi")]);
        let second = said(&[
            (Role::System, "be brief"),
            (Role::User, "hi"),
            (Role::Assistant, "hello"),
            (Role::User, "and?"),
        ]);
        assert_eq!(of("a", "r", &first), of("a", "r", &second));
        for other in [
            of("b", "r", &first),
            of("a", "s", &first),
            of("a", "r", &said(&[(Role::System, "be brief"), (Role::User, "ho")])),
            of("a", "r", &said(&[(Role::System, "be long"), (Role::User, "hi")])),
            of("a", "r", &said(&[(Role::User, "be briefhi")])),
        ] {
            assert_ne!(of("a", "r", &first), other);
        }
    }

    #[test]
    fn a_session_says_it_alone() {
        let with = |session: &str, text: &str| ChatRequest {
            options: CallOptions { session: Some(session.to_owned()), ..CallOptions::default() },
            ..ChatRequest::prompt(text)
        };
        assert_eq!(of("a", "r", &with("1", "hi")), of("a", "r", &with("1", "other")));
        assert_ne!(of("a", "r", &with("1", "hi")), of("a", "r", &with("2", "hi")));
        // Written down: other processes and versions must agree.
        assert_eq!(of("a", "r", &with("1", "hi")) >> 96, 0x77009532);
    }
}
