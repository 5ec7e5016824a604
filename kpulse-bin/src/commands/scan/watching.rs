//! `kpulse scan --watch`: the same picture, anew whenever something changes.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use jiff::Timestamp;
use kpulse_watch::kubelet::{self, Kubelets};
use kpulse_watch::{SessionSettings, inquire, watch_all};
use kube::Client;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use super::Shown;
use crate::cli::Output;
use crate::commands::run::end_on_signal;
use crate::scan::picture::{Picture, Row};
use crate::scan::{Scan, table};

/// The picture is drawn no more often.
const DRAW_EVERY: Duration = Duration::from_millis(500);
/// Observations that may wait to be taken in.
const WAITING: usize = 256;
/// Goes to the upper left corner; and empties what is below.
const HOME: &str = "\x1b[H\x1b[J";

/// Watches until somebody says that it is enough; what is broken then decides the exit code.
pub(super) async fn watch(
    mut scan: Scan,
    client: Client,
    kubelets: Kubelets,
    shown: &Shown,
) -> anyhow::Result<ExitCode> {
    let mut end = end_on_signal()?;
    let (seen, mut observations) = mpsc::channel(WAITING);
    let (ask, asked) = mpsc::channel(WAITING);
    let _sessions = watch_all(&client, scan.wish.scopes(), seen.clone(), &SessionSettings::default()).await;
    let named = scan.wish.settings.namespaces.named();
    let _answers = tokio::spawn(inquire::answer(client.clone(), named, asked, seen.clone()));
    if let Some(interval) = scan.wish.settings.monitors.survey_interval() {
        let interval = interval.get().unsigned_abs();
        tokio::spawn(kubelet::survey(client, kubelets, interval, seen));
    }
    let mut screen = Screen::new(shown);
    let mut ticks = interval(DRAW_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = end.wait_for(|end| *end) => break,
            Some(observation) = observations.recv() => scan.take(Timestamp::now(), observation),
            _ = ticks.tick() => {
                let now = Timestamp::now();
                scan.engine.advance(now);
                for inquiry in scan.engine.inquiries(now) {
                    // A full queue means that many are being asked already: this one is asked again later.
                    ask.try_send(inquiry).ok();
                }
                if scan.engine.is_ready(now) {
                    screen.draw(scan.picture(now, &shown.cluster, &shown.server))?;
                }
            }
        }
    }
    Ok(screen.last.as_ref().map_or(ExitCode::from(2), |picture| shown.exit_code(picture)))
}

/// What was drawn last.
struct Screen<'a> {
    shown: &'a Shown,
    text: String,
    last: Option<Picture>,
}

impl<'a> Screen<'a> {
    fn new(shown: &'a Shown) -> Self {
        Self { shown, text: String::new(), last: None }
    }

    /// On a terminal in the place of what was there; elsewhere below it, and only if there is news.
    fn draw(&mut self, picture: Picture) -> anyhow::Result<()> {
        let is_news = self.last.as_ref().is_none_or(|last| news(last) != news(&picture));
        match self.shown.output {
            Output::Table if io::stdout().is_terminal() => self.redraw(&picture)?,
            Output::Json if is_news => {
                let mut out = io::stdout().lock();
                serde_json::to_writer(&mut out, &picture)?;
                out.write_all(b"\n")?;
                out.flush()?;
            }
            Output::Table | Output::Yaml if is_news => {
                if self.last.is_some() {
                    writeln!(io::stdout(), "{}", if self.shown.output == Output::Yaml { "---" } else { "" })?;
                }
                self.shown.print(&picture)?;
            }
            _ => {}
        }
        self.last = Some(picture);
        Ok(())
    }

    fn redraw(&mut self, picture: &Picture) -> io::Result<()> {
        let size = terminal_size::terminal_size();
        let (width, height) = size.map_or((None, usize::MAX), |(w, h)| (Some(usize::from(w.0)), usize::from(h.0)));
        let text = table::text(picture, width);
        let lines = text.lines().count();
        let room = height.saturating_sub(2).max(1);
        let mut page: String = text.lines().take(room).map(|line| format!("{line}\n")).collect();
        if let Some(more) = lines.checked_sub(room).filter(|more| *more > 0) {
            page.push_str(&format!("… {more} more lines\n"));
        }
        if page != self.text {
            // Who wants no colours wants the cursor to move all the same.
            io::stdout().write_all(HOME.as_bytes())?;
            let mut out = anstream::stdout().lock();
            out.write_all(page.as_bytes())?;
            out.flush()?;
            self.text = page;
        }
        Ok(())
    }
}

/// What makes a picture another one: not that time passed.
fn news(picture: &Picture) -> impl PartialEq + use<'_> {
    let rows = |rows: &'_ [Row]| {
        let row = |row: &Row| (row.fingerprint.clone(), row.severity, row.reason.clone(), row.count);
        rows.iter().map(row).collect::<Vec<_>>()
    };
    (rows(&picture.firing), rows(&picture.recent), rows(&picture.pending), &picture.not_seen, &picture.excluded)
}
