//! The router in numbers, as Prometheus reads them.
//!
//! They are gathered when somebody asks. Labels have few values: rooms, and what is listed here or in the code; never
//! anything that a client chooses.

use std::{
    fmt,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric as _, MetricEncoder, prometheus_text},
    metrics::{MetricType, exemplar::Exemplar},
    registry::Registry,
};

use super::process::{self, ProcessFigures};
use crate::{
    connection::{Hall, Traffic},
    listener::EntranceFigures,
    reloads::Reloads,
    room::Figures,
};

/// What is answered is.
pub(super) const CONTENT_TYPE: &str = prometheus_text::CONTENT_TYPE;

/// All figures, as text.
pub(super) fn scrape(
    halls: &[Arc<Hall>],
    entrance: EntranceFigures,
    reloads: Reloads,
    started: SystemTime,
) -> String {
    let rooms = halls.iter().map(|hall| RoomFigures::of(hall)).collect();
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Everything {
        rooms,
        entrance,
        reloads,
        started,
        process: process::read(),
    }));
    let mut text = String::new();
    // Writing to a text does not fail.
    let _ = prometheus_text::encode(&mut text, &registry);
    text
}

#[derive(Debug)]
struct Everything {
    rooms: Vec<RoomFigures>,
    entrance: EntranceFigures,
    reloads: Reloads,
    started: SystemTime,
    process: Option<ProcessFigures>,
}

#[derive(Debug)]
struct RoomFigures {
    name: String,
    figures: Figures,
    traffic: Traffic,
    /// How many entries the reader that is farthest behind has not been sent.
    most_lag: u64,
    muted: usize,
    endings: Vec<(&'static str, u64)>,
    refusals: Vec<(&'static str, u64)>,
}

impl RoomFigures {
    fn of(hall: &Hall) -> Self {
        let cursor = hall.portraits().iter().map(|portrait| portrait.cursor).min();
        let traffic = hall.traffic();
        let figures = hall.room().figures();
        Self {
            name: hall.name().to_string(),
            most_lag: cursor.map_or(0, |cursor| figures.newest.saturating_sub(cursor)),
            figures,
            traffic,
            muted: hall.muted().len(),
            endings: hall.endings().counts(),
            refusals: hall.refusals().counts(),
        }
    }
}

/// A label and its value.
type Label<'a> = (&'a str, &'a str);

/// Writes one metric after the other.
struct Metrics<'a>(DescriptorEncoder<'a>);

impl Metrics<'_> {
    fn counter<'l, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        series: impl IntoIterator<Item = ([Label<'l>; N], u64)>,
    ) -> fmt::Result {
        let no_exemplar = None::<&Exemplar<[Label<'_>; 0], u64>>;
        self.family(name, help, MetricType::Counter, series, |mut encoder, count| {
            encoder.encode_counter(&count, no_exemplar)
        })
    }

    fn gauge<'l, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        series: impl IntoIterator<Item = ([Label<'l>; N], u64)>,
    ) -> fmt::Result {
        self.family(name, help, MetricType::Gauge, series, |mut encoder, value| encoder.encode_gauge(&value))
    }

    fn family<'l, const N: usize, V>(
        &mut self,
        name: &str,
        help: &str,
        kind: MetricType,
        series: impl IntoIterator<Item = ([Label<'l>; N], V)>,
        write: impl Fn(MetricEncoder<'_>, V) -> fmt::Result,
    ) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, kind)?;
        for (labels, value) in series {
            write(family.encode_family(&labels)?, value)?;
        }
        Ok(())
    }
}

impl Collector for Everything {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut metrics = Metrics(encoder);
        self.rooms(&mut metrics)?;
        self.traffic(&mut metrics)?;
        self.entrance(&mut metrics)?;
        self.reloads(&mut metrics)?;
        self.process(&mut metrics)
    }
}

impl Everything {
    fn each<'s, T>(
        &'s self,
        value: impl Fn(&'s RoomFigures) -> T,
    ) -> impl Iterator<Item = ([Label<'s>; 1], T)> {
        self.rooms.iter().map(move |room| ([("room", room.name.as_str())], value(room)))
    }

    /// Several series for each room, with a further label.
    fn each_by<'s, I>(
        &'s self,
        label: &'s str,
        values: impl Fn(&'s RoomFigures) -> I,
    ) -> impl Iterator<Item = ([Label<'s>; 2], u64)>
    where
        I: IntoIterator<Item = (&'s str, u64)>,
    {
        self.rooms.iter().flat_map(move |room| {
            let values = values(room).into_iter();
            values.map(move |(value, count)| ([("room", room.name.as_str()), (label, value)], count))
        })
    }

    fn rooms(&self, metrics: &mut Metrics<'_>) -> fmt::Result {
        metrics.gauge(
            "multichat_connections",
            "Registered connections",
            self.each_by("dialect", |room| {
                [("plain", room.figures.plain_readers as u64), ("rich", room.figures.rich_readers as u64)]
            }),
        )?;
        metrics.gauge(
            "multichat_sessions",
            "Sessions of rich clients, with a connection or kept for one",
            self.each_by("state", |room| {
                let sessions = room.figures.sessions;
                [("connected", sessions.connected as u64), ("away", sessions.away as u64)]
            }),
        )?;
        metrics.counter(
            "multichat_messages",
            "Entries that came into a log",
            self.each_by("kind", |room| {
                let entered = room.figures.entered;
                [("message", entered.messages), ("edit", entered.edits), ("delete", entered.deletes)]
            }),
        )?;
        metrics.family(
            "multichat_delivery_latency_seconds",
            "Time from when an entry came until all readers were offered it, of the oldest in each pass",
            MetricType::Histogram,
            self.each(|room| &room.figures.latency),
            |encoder, latency| latency.encode(encoder),
        )?;
        metrics.gauge(
            "multichat_max_lag_entries",
            "Entries that the reader has not been sent which is farthest behind",
            self.each(|room| room.most_lag),
        )?;
        metrics.gauge(
            "multichat_log_entries",
            "Entries in the log",
            self.each(|room| room.figures.log_entries as u64),
        )?;
        metrics.gauge(
            "multichat_log_bytes",
            "Memory that the log takes",
            self.each(|room| room.figures.log_bytes),
        )?;
        metrics.gauge(
            "multichat_muted_names",
            "Client names that an operator has muted",
            self.each(|room| room.muted as u64),
        )
    }

    fn traffic(&self, metrics: &mut Metrics<'_>) -> fmt::Result {
        metrics.counter(
            "multichat_deliveries",
            "Entries that were sent to a reader, once for each",
            self.each(|room| room.traffic.sent_messages),
        )?;
        metrics.counter(
            "multichat_received_messages",
            "WebSocket messages that came from registered clients, good or bad",
            self.each(|room| room.traffic.received_messages),
        )?;
        metrics.counter(
            "multichat_sent_bytes",
            "Bytes of WebSocket frames that were sent, without TLS",
            self.each(|room| room.traffic.sent_bytes),
        )?;
        metrics.counter(
            "multichat_received_bytes",
            "Bytes of WebSocket frames that came, without TLS",
            self.each(|room| room.traffic.received_bytes),
        )?;
        metrics.counter(
            "multichat_disconnections",
            "Registered connections that ended, by reason",
            self.each_by("reason", |room| room.endings.iter().copied()),
        )?;
        metrics.counter(
            "multichat_refused_registrations",
            "WebSocket connections that ended before they registered, by reason",
            self.each_by("reason", |room| room.refusals.iter().copied()),
        )
    }

    fn entrance(&self, metrics: &mut Metrics<'_>) -> fmt::Result {
        let entrance = &self.entrance;
        metrics.counter(
            "multichat_accepted_connections",
            "Connections that the port accepted, whatever they asked for",
            [([], entrance.accepted)],
        )?;
        metrics.counter(
            "multichat_refused_connections",
            "Connections that were refused before they spoke WebSocket, by reason",
            entrance.refused.iter().map(|(reason, count)| ([("reason", *reason)], *count)),
        )?;
        metrics.gauge(
            "multichat_unregistered_connections",
            "Connections of any stage that have not registered",
            [([], entrance.unregistered as u64)],
        )?;
        metrics.gauge(
            "multichat_websockets",
            "WebSocket connections of all rooms, registered or not",
            [([], entrance.seats as u64)],
        )?;
        metrics.gauge(
            "multichat_websockets_limit",
            "WebSocket connections that there may be",
            [([], entrance.most_seats as u64)],
        )
    }

    fn reloads(&self, metrics: &mut Metrics<'_>) -> fmt::Result {
        let reloads = &self.reloads;
        metrics.counter(
            "multichat_config_reloads",
            "Times that another configuration was to hold, by result",
            [([("result", "success")], reloads.succeeded), ([("result", "failure")], reloads.failed)],
        )?;
        metrics.gauge(
            "multichat_config_last_reload_successful",
            "Whether the last reload did not fail, or there was none",
            [([], u64::from(!reloads.has_failed))],
        )?;
        metrics.family(
            "multichat_config_last_reload_success_timestamp_seconds",
            "When the configuration began to hold that holds now",
            MetricType::Gauge,
            [([], seconds(reloads.succeeded_at))],
            |mut encoder, time| encoder.encode_gauge(&time),
        )?;
        metrics.gauge(
            "multichat_build_info",
            "The version of the router",
            [([("version", env!("CARGO_PKG_VERSION"))], 1)],
        )
    }

    /// By the names that processes of all kinds use.
    fn process(&self, metrics: &mut Metrics<'_>) -> fmt::Result {
        let float_gauge = |mut encoder: MetricEncoder<'_>, value: f64| encoder.encode_gauge(&value);
        metrics.family(
            "process_start_time_seconds",
            "When the process was started",
            MetricType::Gauge,
            [([], seconds(self.started))],
            float_gauge,
        )?;
        let Some(process) = &self.process else { return Ok(()) };
        let no_exemplar = None::<&Exemplar<[Label<'_>; 0], f64>>;
        metrics.family(
            "process_cpu_seconds",
            "Time that the process spent on processors",
            MetricType::Counter,
            [([], process.cpu_seconds)],
            |mut encoder, time| encoder.encode_counter(&time, no_exemplar),
        )?;
        metrics.gauge(
            "process_resident_memory_bytes",
            "Memory that the process takes",
            [([], process.resident_bytes)],
        )?;
        metrics.gauge(
            "process_virtual_memory_bytes",
            "Addresses that the process has reserved",
            [([], process.virtual_bytes)],
        )?;
        metrics.gauge("process_threads", "Threads", [([], process.threads)])?;
        metrics.gauge("process_open_fds", "Open descriptors", [([], process.open_files)])?;
        metrics.gauge(
            "process_max_fds",
            "Descriptors that may be open",
            process.most_files.map(|most| ([], most)),
        )
    }
}

/// Since the Unix epoch.
fn seconds(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
