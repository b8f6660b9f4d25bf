//! Messages out of a file, whatever it is.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;

use bytes::Bytes;
use ringback_capture::{Form, Packet, Reader, What};
use serde::Serialize;

use super::unreadable;
use crate::failure::Failure;
use crate::progress::{Printing, Progress};

/// One message, and where it comes from.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) bytes: Bytes,
    pub(crate) origin: Origin,
    /// Bytes are missing that the capture doesn't have.
    pub(crate) is_cut: bool,
}

/// When and where a message was seen; what isn't known is left out.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Origin {
    /// Of a capture, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) frame: Option<u64>,
    /// Of text, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) line: Option<u64>,
    /// Since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) time_us: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) destination: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) transport: Option<String>,
}

/// A file that is read as far as messages are asked for.
pub(crate) struct Input {
    name: String,
    source: Box<dyn Read>,
    reader: Reader,
    is_finished: bool,
    notes: Vec<String>,
    progress: Progress,
}

const CHUNK_BYTES: usize = 65_536;

impl Input {
    /// Opens it; `-` is standard input.
    ///
    /// # Errors
    /// Where that can't be done.
    pub(crate) fn open(file: &Path, printing: Printing) -> Result<Input, Failure> {
        let is_stdin = file == Path::new("-");
        let name = if is_stdin { "standard input".to_owned() } else { file.display().to_string() };
        let (source, length): (Box<dyn Read>, _) = if is_stdin {
            (Box::new(io::stdin()), None)
        } else {
            let file = File::open(file).map_err(|error| unreadable(format!("{name}: can't be read: {error}")))?;
            let length = file.metadata().ok().filter(Metadata::is_file).map(|metadata| metadata.len());
            (Box::new(file), length)
        };
        let progress = Progress::new(length, printing);
        Ok(Input { name, source, reader: Reader::new(), is_finished: false, notes: Vec::new(), progress })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// What of the file couldn't be read.
    pub(crate) fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Something more.
    pub(crate) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// The next message.
    ///
    /// # Errors
    /// Where the file can't be read any further.
    pub(crate) fn next(&mut self) -> Result<Option<Found>, Failure> {
        let found = self.read_on();
        if !matches!(found, Ok(Some(_))) {
            self.progress.end();
        }
        found
    }

    fn read_on(&mut self) -> Result<Option<Found>, Failure> {
        loop {
            let packet = self.reader.next_packet();
            self.take_notes();
            match packet {
                Ok(Some(packet)) => return Ok(Some(self.found(packet))),
                Ok(None) if self.is_finished => return Ok(None),
                Ok(None) => self.fill()?,
                Err(error) => return Err(unreadable(format!("{}: {error}", self.name))),
            }
        }
    }

    fn fill(&mut self) -> Result<(), Failure> {
        let mut chunk = vec![0; CHUNK_BYTES];
        let read = self.source.read(&mut chunk);
        let count = read.map_err(|error| unreadable(format!("{}: can't be read: {error}", self.name)))?;
        chunk.truncate(count);
        if chunk.is_empty() {
            self.is_finished = true;
            self.reader.finish();
            return Ok(());
        }
        self.progress.add(count);
        self.reader.feed(&chunk);
        Ok(())
    }

    /// Text that was mended is as good as other text.
    fn take_notes(&mut self) {
        while let Some(note) = self.reader.next_note() {
            if note.what != What::Mended {
                self.notes.push(note.to_string());
            }
        }
    }

    fn found(&self, packet: Packet) -> Found {
        let address = |address: Option<std::net::SocketAddr>| address.map(|address| address.to_string());
        let is_capture = matches!(self.reader.form(), Some(Form::Pcap | Form::PcapNg));
        let place = packet.frames.first;
        Found {
            origin: Origin {
                frame: is_capture.then_some(place),
                line: (!is_capture).then_some(place),
                time_us: packet.time_us,
                source: address(packet.source),
                destination: address(packet.destination),
                transport: packet.carrier.map(|carrier| carrier.to_string()),
            },
            bytes: packet.bytes,
            is_cut: packet.is_cut,
        }
    }
}
