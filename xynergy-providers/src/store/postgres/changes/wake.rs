//! Waking whoever waits for something due: this process at once, others by the database's notifications.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{AsyncMessage, Config, NoTls, Socket};

use crate::store::postgres::connect::Connector;

const FIRST_BACK_OFF: Duration = Duration::from_millis(100);
const LONGEST_BACK_OFF: Duration = Duration::from_secs(30);

/// What waits, and the connection that listens for it: made at the first wait, and again whenever it broke.
#[derive(Debug, Default)]
pub(in crate::store::postgres) struct Wake {
    waiting: Arc<Notify>,
    listener: Mutex<Option<JoinHandle<()>>>,
}

impl Wake {
    /// Wakes those of this process who wait, or whoever waits next.
    pub(super) fn wake(&self) {
        wake(&self.waiting);
    }

    /// Waits until something woke it since the last call that returned.
    pub(super) async fn woken(&self, connector: &Connector, channel: &str) {
        let woken = self.waiting.notified();
        {
            let mut listener = self.listener.lock().unwrap_or_else(PoisonError::into_inner);
            // A runtime that is gone took its tasks along.
            if listener.as_ref().is_none_or(JoinHandle::is_finished) {
                let (waiting, connector) = (Arc::downgrade(&self.waiting), connector.clone());
                *listener = Some(tokio::spawn(listen(waiting, connector, channel.to_owned())));
            }
        }
        woken.await;
    }
}

impl Drop for Wake {
    fn drop(&mut self) {
        if let Some(listener) = self.listener.lock().unwrap_or_else(PoisonError::into_inner).take() {
            listener.abort();
        }
    }
}

fn wake(waiting: &Notify) {
    waiting.notify_waiters();
    // For whoever was about to wait.
    waiting.notify_one();
}

async fn listen(waiting: Weak<Notify>, connector: Connector, channel: String) {
    let mut back_off = FIRST_BACK_OFF;
    while waiting.strong_count() > 0 {
        let target = connector.target().await;
        let heard = if target.tls {
            hear(target.config, connector.tls(), &channel, &waiting).await
        } else {
            hear(target.config, NoTls, &channel, &waiting).await
        };
        back_off = if heard { FIRST_BACK_OFF } else { (back_off * 2).min(LONGEST_BACK_OFF) };
        tokio::time::sleep(back_off).await;
    }
}

/// Listens until the connection breaks; whether it ever listened.
async fn hear<T>(config: Config, tls: T, channel: &str, waiting: &Weak<Notify>) -> bool
where
    T: MakeTlsConnect<Socket> + Send,
    T::Stream: Send + 'static,
    T::TlsConnect: Send,
    <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    let Ok((client, mut connection)) = config.connect(tls).await else { return false };
    let mut listening = std::pin::pin!(client.batch_execute(channel));
    let mut ready = false;
    loop {
        let message = tokio::select! {
            biased;
            listened = &mut listening, if !ready => {
                if listened.is_err() {
                    return false;
                }
                ready = true;
                // What happened while nobody listened.
                waiting.upgrade().iter().for_each(|waiting| wake(waiting));
                continue;
            }
            message = poll_fn(|context| connection.poll_message(context)) => message,
        };
        match message {
            Some(Ok(AsyncMessage::Notification(_))) => {
                waiting.upgrade().iter().for_each(|waiting| wake(waiting));
            }
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return ready,
        }
    }
}
