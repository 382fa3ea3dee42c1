//! Reads `limits` of the config file.

use std::{ops::RangeInclusive, time::Duration};

use serde_json::Value;

use super::{
    Limits, SecretKey,
    limits::{RateField, Visitor},
    section::{Mismatch, Section},
};
use crate::rate::Rate;

/// The shortest time that may be set: below it is a slip of the pen.
const SHORTEST: f64 = 0.001;
/// The longest: a bound that takes more than a day to bite is none.
const LONGEST: f64 = 86_400.0;
/// The largest count of events in a period: above it the nanoseconds of an interval become coarse.
const LARGEST_COUNT: u32 = 10_000;
const LARGEST_BURST: u32 = 1_000_000;
/// What a `register` holds beside the name and the key, white space and the rich fields included.
const REGISTER_OVERHEAD: usize = 512;

/// Reads what is there over the defaults, `section` being `None` if nothing is.
pub(super) fn read(section: Option<&mut Section<'_>>, secret_key: Option<&SecretKey>) -> Limits {
    let mut limits = Limits::default();
    let Some(section) = section else {
        limits.first_packet_bytes = limits.first_packet_bytes.max(register_bytes(&limits, secret_key));
        return limits;
    };
    limits.visit(&mut Reader { section });
    fit_first_packet(section, &mut limits, secret_key);
    fit_log(section, &mut limits);
    limits
}

/// The largest `register` must hold the longest name and the key, and be a packet. A default gives way.
fn fit_first_packet(section: &mut Section<'_>, limits: &mut Limits, secret_key: Option<&SecretKey>) {
    const NAME: &str = "first-packet-bytes";
    let least = register_bytes(limits, secret_key);
    if limits.packet_bytes < least {
        let expected = format!(
            "at least {least}, which a register with your secret-key and the longest client name takes"
        );
        section.misfit("packet-bytes", &expected, None);
    } else if !section.has(NAME) {
        limits.first_packet_bytes = limits.first_packet_bytes.min(limits.packet_bytes).max(least);
    } else if limits.first_packet_bytes < least {
        let expected = format!(
            "at least {least}, which a register with your secret-key and the longest client name takes"
        );
        section.misfit(NAME, &expected, None);
    } else if limits.first_packet_bytes > limits.packet_bytes {
        section.misfit(
            NAME,
            &format!("no more than \"limits.packet-bytes\", which is {}", limits.packet_bytes),
            None,
        );
    }
}

fn register_bytes(limits: &Limits, secret_key: Option<&SecretKey>) -> usize {
    let key = secret_key.map_or(0, |key| Value::from(key.expose()).to_string().len());
    REGISTER_OVERHEAD + limits.client_name_bytes + key
}

/// The log must hold the largest packet in both dialects, and not only that. A default gives way.
fn fit_log(section: &mut Section<'_>, limits: &mut Limits) {
    let least = 4 * limits.packet_bytes;
    if !section.has("log-bytes") {
        limits.log_bytes = limits.log_bytes.max(least);
    } else if limits.log_bytes < least {
        let expected = format!(
            "at least {least}, four times \"limits.packet-bytes\" ({}): the log must hold the largest packet in both \
             dialects, and not only that",
            limits.packet_bytes
        );
        section.misfit("log-bytes", &expected, None);
    }
}

struct Reader<'s, 'a> {
    section: &'s mut Section<'a>,
}

impl Visitor for Reader<'_, '_> {
    fn seconds(&mut self, name: &'static str, value: &mut Duration) {
        let expected =
            format!("a number of seconds from {SHORTEST} to {LONGEST}, such as {}", value.as_secs_f64());
        let read = self.section.optional(name, &expected, |value| {
            let seconds = value.as_f64().filter(|seconds| (SHORTEST..=LONGEST).contains(seconds));
            seconds.map(Duration::from_secs_f64).ok_or(Mismatch::Plain)
        });
        *value = read.unwrap_or(*value);
    }

    fn number(&mut self, name: &'static str, value: &mut usize, allowed: RangeInclusive<usize>) {
        let expected =
            format!("a whole number from {} to {}, such as {value}", allowed.start(), allowed.end());
        let read = self.section.optional(name, &expected, |value| {
            let number = value.as_u64().and_then(|number| usize::try_from(number).ok());
            number.filter(|number| allowed.contains(number)).ok_or(Mismatch::Plain)
        });
        *value = read.unwrap_or(*value);
    }

    fn rate(&mut self, field: &RateField, value: &mut Option<Rate>) {
        let default = value.map_or(0, |rate| field.count(rate));
        let expected =
            format!("a whole number from 0 (no limit) to {LARGEST_COUNT}, such as {}", default.max(50));
        let count = self
            .section
            .optional(field.name, &expected, |value| whole(value, 0..=LARGEST_COUNT))
            .unwrap_or(default);
        let burst = field.burst_name.and_then(|name| {
            let expected = format!("a whole number from 1 to {LARGEST_BURST}, such as 100");
            let burst = self.section.optional(name, &expected, |value| whole(value, 1..=LARGEST_BURST))?;
            if count == 0 {
                self.section.without_effect(name, field.name);
            }
            Some(burst)
        });
        *value = field.rate(count, burst);
    }
}

fn whole(value: &Value, allowed: RangeInclusive<u32>) -> Result<u32, Mismatch> {
    let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
    number.filter(|number| allowed.contains(number)).ok_or(Mismatch::Plain)
}
