use super::methods;
use crate::streams::StreamId;

methods! {
    /// Takes the pieces of a stream that have arrived, and waits for the first of them.
    "stream.next"(stream) Internal StreamId => serde_json::Value = |session, arguments: StreamId| async move {
        session.engine.streams()?.next(arguments.stream).await
    };
}
