//! The bytes of one ssh connection as a channel of another: the way through a jump host.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, BytesMut};
use russh::ChannelStream;
use russh::client::Msg;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Taken from the channel at once.
const PIECE: usize = 32 << 10;
/// What may wait here while the writer is held back; beyond it only a host that ignores its windows goes.
const AHEAD: usize = 64 << 20;

/// A channel to the host's sshd.
///
/// The session that speaks through it writes until everything is gone, and reads nothing in the meantime. The
/// jump host's session, in turn, takes nothing to write while the queue of what it has read is full. So that
/// the two do not wait for each other, a writer that is held back takes in what has arrived.
pub struct Through {
    channel: ChannelStream<Msg>,
    ahead: BytesMut,
    ended: bool,
}

impl Through {
    pub fn new(channel: ChannelStream<Msg>) -> Self {
        Self { channel, ahead: BytesMut::new(), ended: false }
    }

    /// Take in what is there, and be woken when there is more.
    fn take_in(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let mut piece = [0; PIECE];
        while !self.ended && self.ahead.len() < AHEAD {
            let mut buffer = ReadBuf::new(&mut piece);
            match Pin::new(&mut self.channel).poll_read(cx, &mut buffer) {
                Poll::Ready(done) => done?,
                Poll::Pending => break,
            }
            self.ended = buffer.filled().is_empty();
            self.ahead.extend_from_slice(buffer.filled());
        }
        Ok(())
    }
}

impl AsyncRead for Through {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.ahead.is_empty() {
            let count = self.ahead.len().min(buf.remaining());
            buf.put_slice(&self.ahead[..count]);
            self.ahead.advance(count);
            return Poll::Ready(Ok(()));
        }
        if self.ended {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.channel).poll_read(cx, buf)
    }
}

impl AsyncWrite for Through {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.channel).poll_write(cx, buf);
        if written.is_pending() {
            self.take_in(cx)?;
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.channel).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.channel).poll_shutdown(cx)
    }
}
