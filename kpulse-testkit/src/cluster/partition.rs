//! A network that can be parted: connections stay open, and nothing moves over them in either direction.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::lock;

/// Whether the network is parted. A clone is the same one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Partition(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    parted: bool,
    waiting: Vec<Waker>,
}

impl Partition {
    pub(crate) fn part(&self) {
        lock(&self.0).parted = true;
    }

    pub(crate) fn mend(&self) {
        let mut state = lock(&self.0);
        state.parted = false;
        for waker in state.waiting.drain(..) {
            waker.wake();
        }
    }

    /// Ready unless the network is parted.
    fn poll_whole(&self, context: &Context<'_>) -> Poll<()> {
        let mut state = lock(&self.0);
        if !state.parted {
            return Poll::Ready(());
        }
        state.waiting.push(context.waker().clone());
        Poll::Pending
    }
}

/// A connection over that network.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) stream: TcpStream,
    pub(crate) network: Partition,
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.network.poll_whole(context));
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.network.poll_whole(context));
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.network.poll_whole(context));
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.network.poll_whole(context));
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
