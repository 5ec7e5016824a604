//! The TCP connection under a conversation that begins unencrypted.
//!
//! Whoever sits between us and the server may put answers of his own behind the server's answer to STARTTLS; a client
//! that has read ahead takes them for what came encrypted. So until the handshake nothing is read ahead: a byte at a
//! time, and what is left over spoils the handshake.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// The most that is read of one conversation, in bytes. Its lines are not bounded by whoever reads them.
const MOST: usize = 256 << 10;

/// What a TLS handshake starts with, and no command does.
const HANDSHAKE: u8 = 0x16;

#[derive(Debug)]
pub(super) struct Wire {
    stream: TcpStream,
    encrypted: bool,
    read: usize,
}

impl Wire {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { stream, encrypted: false, read: 0 }
    }
}

impl AsyncTokioStream for Wire {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.read > MOST {
            return Poll::Ready(Err(io::Error::other("it says more than any mail server has to say")));
        }
        let before = buf.filled().len();
        if self.encrypted || buf.remaining() == 0 {
            ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        } else {
            let mut byte = [0];
            let mut one = ReadBuf::new(&mut byte);
            ready!(Pin::new(&mut self.stream).poll_read(cx, &mut one))?;
            buf.put_slice(one.filled());
        }
        self.read += buf.filled().len() - before;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.encrypted |= bytes.first() == Some(&HANDSHAKE);
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
