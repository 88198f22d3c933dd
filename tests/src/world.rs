//! A world: one data directory with all parties, made by `portcullis init`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{Finished, program, run};
use crate::streams::Stream;
use crate::transport::Packets;

/// A data directory that goes away with the test.
pub struct World {
    folder: tempfile::TempDir,
}

impl World {
    /// Runs `portcullis init` in a new folder.
    #[must_use]
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        let world = Self { folder: tempfile::tempdir().expect("a temporary folder") };
        let _ = world.run(&["init"]).ok();
        world
    }

    /// A world with a box, entitled to the product `one`.
    #[must_use]
    pub fn with_entitled_box(name: &str) -> Self {
        let world = Self::new();
        world.add_entitled_box(name, "vendor-a");
        world
    }

    /// Adds a box with the client of a CA vendor, entitled to the product `one`.
    pub fn add_entitled_box(&self, name: &str, vendor: &str) {
        let _ = self.run(&["box", "add", name, "--vendor", vendor]).ok();
        let _ = self.run(&["entitle", "--box", name, "--product", "one"]).ok();
    }

    /// The data directory.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A file beside the data directory.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `portcullis ARGS --data D`.
    #[must_use]
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(program("portcullis"));
        command.args(args).arg("--data").arg(self.data()).current_dir(self.folder.path());
        command
    }

    /// Runs `portcullis ARGS --data D` to its end.
    pub fn run(&self, args: &[&str]) -> Finished {
        run(&mut self.command(args))
    }

    /// Scrambles a stream, file to file.
    pub fn headend(&self, stream: &Stream, mode: &str, output: &Path) -> Finished {
        run(&mut self.headend_command(stream, mode, output))
    }

    /// The call that [`World::headend`] makes, to be given more options.
    #[must_use]
    pub fn headend_command(&self, stream: &Stream, mode: &str, output: &Path) -> Command {
        let mut command = self.command(&["headend", "--product", "one", "--mode", mode]);
        command.arg("--input").arg(&stream.path).arg("--output").arg(output);
        command.args(["--crypto-period", "2", "--service", &stream.service.to_string()]);
        command
    }

    /// Plays a file with a box.
    pub fn terminal(&self, name: &str, service: u16, input: &Path, output: &Path) -> Finished {
        run(&mut self.terminal_command(name, service, input, output))
    }

    /// The call that [`World::terminal`] makes, to be given more options.
    #[must_use]
    pub fn terminal_command(
        &self,
        name: &str,
        service: u16,
        input: &Path,
        output: &Path,
    ) -> Command {
        let mut command = self.command(&["terminal", "--box", name]);
        command.arg("--input").arg(input).arg("--output").arg(output);
        command.args(["--service", &service.to_string()]);
        command
    }

    /// Packs a program as a version of vendor A's client, signs it with vendor A's and the
    /// operator's keys and publishes it at the centre.
    pub fn publish_client(&self, program_elf: &[u8], version: u32) {
        let policy = include_str!("../../clients/reference-cas/policy.xml");
        self.publish(policy, program_elf, version, &[]);
    }

    /// The same under a policy of its own.
    ///
    /// # Panics
    /// When it does not work.
    pub fn publish_client_under(&self, policy_xml: &str, program_elf: &[u8], version: u32) {
        self.publish(policy_xml, program_elf, version, &[]);
    }

    /// As [`World::publish_client`], encrypted in its container.
    ///
    /// # Panics
    /// When it does not work.
    pub fn publish_client_encrypted(&self, program_elf: &[u8], version: u32) {
        let policy = include_str!("../../clients/reference-cas/policy.xml");
        self.publish(policy, program_elf, version, &["--encrypt"]);
    }

    fn publish(&self, policy_xml: &str, program_elf: &[u8], version: u32, options: &[&str]) {
        let (elf, policy) = (self.file("client.elf"), self.file("policy.xml"));
        let package = self.file("client.pkg");
        std::fs::write(&elf, program_elf).expect("the program can be written");
        std::fs::write(&policy, policy_xml).expect("the policy can be written");
        let mut pack = Command::new(program("portcullis"));
        pack.args(["client", "pack", "--client-id", "1", "--super-scp-id", "0xA001", "--version"]);
        pack.arg(version.to_string()).arg("--policy").arg(&policy).arg("--out").arg(&package);
        let _ = run(pack.arg(elf)).ok();
        let mut sign = self.command(&["client", "sign", "--vendor", "vendor-a", "--publish"]);
        let _ = run(sign.args(options).arg(&package)).ok();
    }

    /// All files below a folder of the data directory.
    #[must_use]
    pub fn files(&self, below: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.data().join(below)];
        while let Some(folder) = folders.pop() {
            let Ok(entries) = std::fs::read_dir(folder) else { continue };
            for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
                if path.is_dir() {
                    folders.push(path);
                } else {
                    found.push(path);
                }
            }
        }
        found.sort();
        found
    }

    /// Asserts that a box gave back the stream: each elementary stream of the service in the
    /// clear, octet by octet.
    pub fn assert_same_picture(clear: &Stream, played: &Path) {
        let (before, after) = (Packets::read(&clear.path), Packets::read(played));
        let streams = before.programme(clear.service).streams;
        assert!(!streams.is_empty());
        assert_eq!(after.scrambled(&streams).0, 0, "packets were left scrambled");
        for pid in streams {
            let (was, is) = (before.payload(pid), after.payload(pid));
            let differs = was.iter().zip(&is).position(|(a, b)| a != b);
            assert_eq!((was.len(), None), (is.len(), differs), "payload of PID {pid}");
        }
    }

    /// Asserts that a stream is scrambled and announces how to get in.
    pub fn assert_scrambled(clear: &Stream, scrambled: &Path) {
        let (before, after) = (Packets::read(&clear.path), Packets::read(scrambled));
        let programme = after.programme(clear.service);
        let streams = before.programme(clear.service).streams;
        let (count, all) = after.scrambled(&streams);
        assert_eq!(count, all, "packets of the service went out in clear");
        assert!(!programme.ca.is_empty(), "no CA_descriptor in the PMT");
        assert!(!after.cat().is_empty(), "no CA_descriptor in the CAT");
        for pid in streams {
            assert_ne!(before.payload(pid), after.payload(pid), "PID {pid} was not touched");
        }
    }
}
