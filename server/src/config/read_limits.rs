//! Reads `limits` of the config file.

use std::{ops::RangeInclusive, time::Duration};

use serde_json::Value;

use super::{
    Keys, Limits, SecretKey,
    limits::{RateField, Visitor},
    section::{Mismatch, Section},
};
use crate::rate::Rate;

const EXPECTED: &str = "an object, such as {\"packet-bytes\": 65536}";
/// The shortest time that may be set: below it is a slip of the pen.
const SHORTEST: f64 = 0.001;
/// The longest: a bound that takes more than a day to bite is none.
const LONGEST: f64 = 86_400.0;
/// What a `register` holds beside the name and the key, white space and the rich fields included.
const REGISTER_OVERHEAD: usize = 512;

/// Reads `limits` of the top level over the defaults.
pub(super) fn read(root: &mut Section<'_>, keys: Option<&Keys>) -> Limits {
    read_over(&Limits::default(), root, keys, |limits, reader| limits.visit(reader))
}

/// Reads `limits` of a room over those of the top level.
pub(super) fn read_room(base: &Limits, room: &mut Section<'_>, keys: Option<&Keys>) -> Limits {
    read_over(base, room, keys, |limits, reader| limits.visit_room(reader))
}

fn read_over(
    base: &Limits,
    parent: &mut Section<'_>,
    keys: Option<&Keys>,
    visit: impl FnOnce(&mut Limits, &mut Reader<'_, '_>),
) -> Limits {
    let longest_key =
        keys.into_iter().flat_map(Keys::secret_keys).map(SecretKey::json_bytes).max().unwrap_or(0);
    let limits = parent.section("limits", EXPECTED, |section| {
        let mut limits = base.clone();
        visit(&mut limits, &mut Reader { section });
        fit_first_packet(section, &mut limits, longest_key);
        fit_log(section, &mut limits);
        limits
    });
    limits.unwrap_or_else(|| {
        let mut limits = base.clone();
        limits.first_packet_bytes = limits.first_packet_bytes.max(register_bytes(&limits, longest_key));
        limits
    })
}

/// The largest `register` must hold the longest name and the longest key, and be a packet. A default gives way.
fn fit_first_packet(section: &mut Section<'_>, limits: &mut Limits, longest_key: usize) {
    const NAME: &str = "first-packet-bytes";
    let least = register_bytes(limits, longest_key);
    let expected =
        format!("at least {least}, which a register with your secret-key and the longest client name takes");
    if limits.packet_bytes < least {
        section.misfit("packet-bytes", &expected, None);
    } else if !section.has(NAME) {
        limits.first_packet_bytes = limits.first_packet_bytes.min(limits.packet_bytes).max(least);
    } else if limits.first_packet_bytes < least {
        section.misfit(NAME, &expected, None);
    } else if limits.first_packet_bytes > limits.packet_bytes {
        section.misfit(
            NAME,
            &format!("no more than \"limits.packet-bytes\", which is {}", limits.packet_bytes),
            None,
        );
    }
}

fn register_bytes(limits: &Limits, longest_key: usize) -> usize {
    REGISTER_OVERHEAD + limits.client_name_bytes + longest_key
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

/// Reads fields over the values that they have.
pub(super) struct Reader<'s, 'a> {
    pub(super) section: &'s mut Section<'a>,
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
        let default = value.map_or(0, |rate| rate.count);
        let (largest, largest_burst) = field.largest;
        let example = default.max(field.example);
        let expected = format!("a whole number from 0 (no limit) to {largest}, such as {example}");
        let count = self
            .section
            .optional(field.name, &expected, |value| whole(value, 0..=largest))
            .unwrap_or(default);
        let burst = field.burst_name.and_then(|name| {
            let example = (field.default_burst)(field.example);
            let expected = format!("a whole number from 1 to {largest_burst}, such as {example}");
            let burst = self.section.optional(name, &expected, |value| whole(value, 1..=largest_burst))?;
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
