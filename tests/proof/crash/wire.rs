//! Stands between a process and PostgreSQL, counts what the process sends, and kills it at one of its messages.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// The length and code of a request for TLS, which has an answer of one byte and is followed by the real start.
const TLS_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// A proxy on a port of this machine.
pub(crate) struct Wire {
    address: SocketAddr,
    watch: Arc<Mutex<Watch>>,
}

#[derive(Default)]
struct Watch {
    armed: bool,
    seen: u64,
    stop_at: u64,
    kill: Option<Box<dyn FnOnce() + Send>>,
}

impl Wire {
    /// In front of the server at `host:port`.
    pub(crate) fn to(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let watch = Arc::<Mutex<Watch>>::default();
        let watched = watch.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                let (Ok(client), Ok(server)) = (client, TcpStream::connect(&server)) else { return };
                let watch = watched.clone();
                let (from_server, to_client) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                thread::spawn(move || answers(from_server, to_client));
                thread::spawn(move || {
                    // An error is the end of one of the two.
                    let _ = requests(&client, &server, &watch);
                    let _ = client.shutdown(Shutdown::Both);
                    let _ = server.shutdown(Shutdown::Both);
                });
            }
        });
        Self { address, watch }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Counts from now on, and calls `kill` in the place of handing on the message of this number; 0 for none.
    pub(crate) fn arm(&self, stop_at: u64, kill: impl FnOnce() + Send + 'static) {
        *self.watch.lock().unwrap() = Watch { armed: true, seen: 0, stop_at, kill: Some(Box::new(kill)) };
    }

    /// How many messages were counted.
    pub(crate) fn seen(&self) -> u64 {
        self.watch.lock().unwrap().seen
    }
}

impl Watch {
    /// Whether the message that just came may be handed on.
    fn pass(&mut self) -> bool {
        self.seen += u64::from(self.armed);
        if !self.armed || self.seen != self.stop_at {
            return true;
        }
        if let Some(kill) = self.kill.take() {
            kill();
        }
        false
    }
}

/// Hands on message by message, up to the one that is not.
fn requests(mut client: &TcpStream, mut server: &TcpStream, watch: &Mutex<Watch>) -> io::Result<()> {
    let mut started = false;
    loop {
        // A typed message has its type before its length; what starts a connection has none.
        let mut message = vec![0; if started { 5 } else { 4 }];
        client.read_exact(&mut message)?;
        let length = u32::from_be_bytes(message[message.len() - 4..].try_into().unwrap_or_default());
        let mut body = vec![0; usize::try_from(length).unwrap_or(4).saturating_sub(4)];
        client.read_exact(&mut body)?;
        message.append(&mut body);
        if !watch.lock().unwrap().pass() {
            return Ok(());
        }
        started |= message != TLS_REQUEST;
        server.write_all(&message)?;
    }
}

fn answers(mut server: TcpStream, mut client: TcpStream) {
    let _ = io::copy(&mut server, &mut client);
    let _ = client.shutdown(Shutdown::Both);
}
