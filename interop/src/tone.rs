//! Tones: made for phones to send, and found again in what other phones recorded.

use std::f64::consts::TAU;
use std::fs;
use std::path::Path;

use crate::{Fault, doing};

/// What every phone here samples at, in Hz.
const RATE: u32 = 8_000;
/// Far from clipping, and loud enough for any codec.
const AMPLITUDE: f64 = 8_000.0;
/// A tone is looked for in pieces of this length.
const WINDOW_MS: u32 = 50;
/// A piece holds a tone where this part of its energy lies at the tone's frequency. A codec's noise takes far less than the
/// rest.
const SHARE_MIN: f64 = 0.8;
/// Below this mean square a piece is silence.
const SILENCE: f64 = 100.0 * 100.0;

/// Writes a WAV file with a tone of `hertz`.
///
/// # Errors
/// When the file can't be written.
pub fn write(path: &Path, hertz: u32, seconds: u32) -> Result<(), Fault> {
    let samples = (0..RATE * seconds).map(|n| {
        let value = AMPLITUDE * (TAU * f64::from(hertz) * f64::from(n) / f64::from(RATE)).sin();
        #[expect(clippy::cast_possible_truncation, reason = "the amplitude is well inside of 16 bits")]
        let sample = value.round() as i16;
        sample
    });
    let data: Vec<u8> = samples.flat_map(i16::to_le_bytes).collect();
    let length = u32::try_from(data.len()).map_err(|_| format!("{seconds} s are too long for a WAV file"))?;
    let mut bytes = Vec::with_capacity(data.len() + 44);
    bytes.extend_from_slice(b"RIFF");
    bytes.extend_from_slice(&(length + 36).to_le_bytes());
    bytes.extend_from_slice(b"WAVEfmt ");
    for word in [16_u32.to_le_bytes(), [1, 0, 1, 0], RATE.to_le_bytes(), (RATE * 2).to_le_bytes(), [2, 0, 16, 0]] {
        bytes.extend_from_slice(&word);
    }
    bytes.extend_from_slice(b"data");
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&data);
    doing(|| format!("writing {}", path.display()), fs::write(path, bytes))
}

/// How many seconds of a recording hold a tone of `hertz` and little else.
///
/// # Errors
/// When the file can't be read or isn't a WAV file of 16 bits.
pub fn seconds_of(path: &Path, hertz: u32) -> Result<f64, Fault> {
    let bytes = doing(|| format!("reading {}", path.display()), fs::read(path))?;
    let sound = Sound::read(&bytes).ok_or_else(|| format!("{}: no WAV file of 16 bits", path.display()))?;
    Ok(sound.seconds_of(hertz))
}

/// The first channel of a WAV file.
struct Sound {
    rate: u32,
    samples: Vec<f64>,
}

impl Sound {
    fn read(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(b"RIFF")?.get(4..)?.strip_prefix(b"WAVE")?;
        let (mut rate, mut channels) = (0, 0_usize);
        loop {
            let (name, after) = rest.split_at_checked(4)?;
            let (length, body) = after.split_first_chunk::<4>()?;
            let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
            match name {
                b"fmt " => {
                    let format = body.get(..length)?;
                    channels = u16::from_le_bytes(*format.get(2..)?.first_chunk()?).into();
                    rate = u32::from_le_bytes(*format.get(4..)?.first_chunk()?);
                    if format.get(14..16)? != [16, 0] {
                        return None;
                    }
                }
                b"data" if channels > 0 && rate > 0 => {
                    // A phone that still runs, or was killed, hasn't written the length.
                    let data = body.get(..length).filter(|data| !data.is_empty()).unwrap_or(body);
                    let samples = data.chunks_exact(2 * channels).filter_map(|frame| frame.first_chunk::<2>());
                    let samples = samples.map(|sample| f64::from(i16::from_le_bytes(*sample))).collect();
                    return Some(Self { rate, samples });
                }
                _ => {}
            }
            // Chunks begin at even places.
            rest = body.get(length + length % 2..)?;
        }
    }

    fn seconds_of(&self, hertz: u32) -> f64 {
        let window = usize::try_from(self.rate * WINDOW_MS / 1_000).unwrap_or(usize::MAX);
        let pieces = self.samples.chunks_exact(window.max(1));
        let found = pieces.filter(|piece| share(piece, hertz, self.rate) >= SHARE_MIN).count();
        let found = u32::try_from(found).unwrap_or(u32::MAX);
        f64::from(found) * f64::from(WINDOW_MS) / 1_000.0
    }
}

/// The part of the energy of `piece` that lies at `hertz`, by Goertzel's filter: 1 for a pure tone.
fn share(piece: &[f64], hertz: u32, rate: u32) -> f64 {
    let turn = 2.0 * (TAU * f64::from(hertz) / f64::from(rate)).cos();
    let (mut last, mut before, mut energy) = (0.0, 0.0, 0.0);
    for sample in piece {
        (last, before) = (sample + turn * last - before, last);
        energy += sample * sample;
    }
    let count = f64::from(u32::try_from(piece.len()).unwrap_or(u32::MAX));
    if energy < SILENCE * count {
        return 0.0;
    }
    let power = last * last + before * before - turn * last * before;
    2.0 * power / (count * energy)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn tone(hertz: f64, seconds: u32, amplitude: f64) -> Vec<f64> {
        (0..RATE * seconds).map(|n| amplitude * (TAU * hertz * f64::from(n) / f64::from(RATE)).sin()).collect()
    }

    #[test]
    fn a_tone_is_found_at_its_frequency_alone() {
        let sound = Sound { rate: RATE, samples: tone(440.0, 2, 3_000.0) };
        assert!(sound.seconds_of(440) > 1.9, "{}", sound.seconds_of(440));
        for other in [300, 400, 480, 880, 1000] {
            assert!(sound.seconds_of(other) < 0.1, "{other}");
        }
    }

    #[test]
    fn silence_noise_and_a_mixture_hold_none() {
        let mixed: Vec<f64> =
            tone(440.0, 1, 3_000.0).iter().zip(tone(1000.0, 1, 3_000.0)).map(|(a, b)| a + b).collect();
        // A generator of the simplest kind; its low bits alone would repeat.
        let mut state = 1_u32;
        let noise = (0..RATE).map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f64::from(state >> 16) - 32_768.0
        });
        for samples in [vec![0.0; 8_000], tone(440.0, 1, 50.0), mixed, noise.collect()] {
            let sound = Sound { rate: RATE, samples };
            assert!(sound.seconds_of(440) < 0.1);
        }
    }

    #[test]
    fn a_written_file_is_read_again_also_where_its_length_is_missing() {
        let path = std::env::temp_dir().join(format!("interop-tone-{}.wav", std::process::id()));
        write(&path, 1_000, 1).unwrap();
        assert!(seconds_of(&path, 1_000).unwrap() > 0.9);
        let mut bytes = fs::read(&path).unwrap();
        bytes.splice(40..44, [0; 4]);
        fs::remove_file(&path).unwrap();
        assert!(Sound::read(&bytes).unwrap().seconds_of(1_000) > 0.9);
        assert!(Sound::read(b"RIFFxxxxWAVE").is_none());
        assert!(Sound::read(b"ID3").is_none());
    }
}
