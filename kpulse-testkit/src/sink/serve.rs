//! The sink over TCP, with connections that can be cut.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use futures::task::AtomicWaker;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{EchoSink, routes};

/// How long a stop waits for requests in flight before it cuts their connections. Held requests and open event streams never end.
const PATIENCE: Duration = Duration::from_millis(500);

/// A sink that listens. Dropped, it stops at once; [`Serving::stop`] lets requests in flight end.
#[derive(Debug)]
pub struct Serving {
    addr: SocketAddr,
    stopping: watch::Sender<bool>,
    lines: Lines,
    server: JoinHandle<io::Result<()>>,
}

impl Serving {
    pub(super) async fn start(sink: EchoSink, addr: impl ToSocketAddrs) -> io::Result<Self> {
        let listener = TcpListener::bind(addr).await?;
        let addr = listener.local_addr()?;
        let lines = Lines::default();
        let (stopping, mut stopped) = watch::channel(false);
        let door = Door { listener, lines: lines.clone() };
        let router = routes::router(sink).into_make_service_with_connect_info::<Line>();
        let until = async move {
            // A handle that is dropped counts as a stop.
            drop(stopped.wait_for(|stop| *stop).await);
        };
        let server = tokio::spawn(async move { axum::serve(door, router).with_graceful_shutdown(until).await });
        Ok(Self { addr, stopping, lines, server })
    }

    /// The address it listens on.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Where a browser on this machine finds the page: `http://127.0.0.1:8081`, without a slash at its end.
    #[must_use]
    pub fn url(&self) -> String {
        let mut addr = self.addr;
        if addr.ip().is_unspecified() {
            addr.set_ip(if addr.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() });
        }
        format!("http://{addr}")
    }

    /// Where a channel of this kind sends to; `kind` may go on with a deeper path.
    #[must_use]
    pub fn url_of(&self, kind: impl AsRef<str>) -> String {
        format!("{}/{}", self.url(), kind.as_ref())
    }

    /// Takes no more connections, gives requests in flight half a second, then cuts what is left.
    pub async fn stop(mut self) {
        self.stopping.send_replace(true);
        if tokio::time::timeout(PATIENCE, &mut self.server).await.is_err() {
            self.lines.cut_all();
            // Each connection now ends in an error of its own; there is nothing to learn from the server's.
            drop((&mut self.server).await);
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.stopping.send_replace(true);
        self.lines.cut_all();
    }
}

/// One connection, to whoever wants it cut.
#[derive(Clone, Debug)]
pub(super) struct Line(Arc<Cut>);

impl Line {
    /// Makes the connection end with a TCP reset, without another byte.
    pub(super) fn cut(&self) {
        self.0.asked.store(true, Ordering::Release);
        self.0.waker.wake();
    }
}

#[derive(Debug, Default)]
struct Cut {
    asked: AtomicBool,
    waker: AtomicWaker,
}

/// Holds a way to cut each connection that is open.
#[derive(Clone, Debug, Default)]
struct Lines(Arc<Mutex<Vec<Weak<Cut>>>>);

impl Lines {
    fn add(&self, cut: &Arc<Cut>) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.retain(|line| line.strong_count() > 0);
        lines.push(Arc::downgrade(cut));
    }

    fn cut_all(&self) {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for cut in lines.iter().filter_map(Weak::upgrade) {
            Line(cut).cut();
        }
    }
}

struct Door {
    listener: TcpListener,
    lines: Lines,
}

impl Listener for Door {
    type Io = Wire;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Wire, SocketAddr) {
        let (stream, addr) = Listener::accept(&mut self.listener).await;
        // Without it a small answer may wait for the delayed acknowledgement of its head.
        drop(stream.set_nodelay(true));
        let cut = Arc::new(Cut::default());
        self.lines.add(&cut);
        (Wire { stream, cut }, addr)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl Connected<IncomingStream<'_, Door>> for Line {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        Self(Arc::clone(&stream.io().cut))
    }
}

/// A TCP stream that fails once it is asked to be cut.
struct Wire {
    stream: TcpStream,
    cut: Arc<Cut>,
}

impl Wire {
    fn check(&self, cx: &Context<'_>) -> io::Result<()> {
        self.cut.waker.register(cx.waker());
        if !self.cut.asked.load(Ordering::Acquire) {
            return Ok(());
        }
        // With no linger the close that follows is a reset. If that cannot be set, it is a plain close: best effort.
        drop(self.stream.set_zero_linger());
        Err(io::ErrorKind::ConnectionReset.into())
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
