//! What each connection is set to.

use std::time::Duration;

use socket2::SockRef;
use tokio::net::TcpStream;

/// A client that takes nothing for so long is gone, or too slow to be waited for; it can come back and go
/// on with the last event it has seen.
const STALLED: Duration = Duration::from_secs(30);

pub(super) fn settle(stream: &TcpStream) {
    // A message of a few bytes must not wait for the one before it to be acknowledged.
    let settled =
        stream.set_nodelay(true).and_then(|()| SockRef::from(stream).set_tcp_user_timeout(Some(STALLED)));
    if let Err(error) = settled {
        tracing::debug!(%error, "a connection can't be settled");
    }
}
