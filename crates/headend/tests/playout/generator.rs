//! An ECM generator written from the message tables, sharing no code with ours: its ECM is a
//! section with the control words in clear.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// How a generator behaves.
#[derive(Clone, Copy)]
pub(crate) struct Behaviour {
    /// section_TSpkt_flag: 0 sections, 1 packets.
    pub(crate) flag: u8,
    /// Answers are held back this long from the fourth one on.
    pub(crate) delay: Duration,
    /// The connection breaks once after so many answers.
    pub(crate) breaks_after: Option<usize>,
    /// This answer is no ECM.
    pub(crate) bad: Option<usize>,
    /// No CW_provision is ever answered.
    pub(crate) silent: bool,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self { flag: 0, delay: Duration::ZERO, breaks_after: None, bad: None, silent: false }
    }
}

/// Starts a generator and returns its address.
pub(crate) async fn start(behaviour: Behaviour) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let answered = Arc::new(AtomicUsize::new(0));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, behaviour, Arc::clone(&answered)));
        }
    });
    address
}

async fn serve(
    mut stream: TcpStream,
    behaviour: Behaviour,
    answered: Arc<AtomicUsize>,
) -> Option<()> {
    loop {
        let mut head = [0; 5];
        stream.read_exact(&mut head).await.ok()?;
        let mut body = vec![0; usize::from(u16::from_be_bytes([head[3], head[4]]))];
        stream.read_exact(&mut body).await.ok()?;
        let kind = u16::from_be_bytes([head[1], head[2]]);
        let given = parameters(&body);
        let copy = |kinds: &[u16]| -> Vec<(u16, Vec<u8>)> {
            given.iter().filter(|(kind, _)| kinds.contains(kind)).cloned().collect()
        };
        let answer = match kind {
            0x0001 => {
                let mut status = copy(&[0x000E]);
                status.push((0x0002, vec![behaviour.flag]));
                for (kind, value) in
                    [(3u16, 200u16), (4, 200), (5, 500u16.wrapping_neg()), (6, 200)]
                {
                    status.push((kind, value.to_be_bytes().to_vec()));
                }
                for (kind, value) in [(7u16, 100u16), (8, 10), (9, 10), (0xC, 500)] {
                    status.push((kind, value.to_be_bytes().to_vec()));
                }
                status.extend([(0xA, vec![1]), (0xB, vec![2])]);
                (0x0003, status)
            }
            0x0101 => {
                let mut status = copy(&[0x000E, 0x000F, 0x0019]);
                status.push((0x0011, vec![0]));
                (0x0103, status)
            }
            0x0201 if behaviour.silent => continue,
            0x0201 => {
                let count = answered.fetch_add(1, Ordering::Relaxed);
                if behaviour.breaks_after == Some(count) {
                    return None;
                }
                if count >= 3 {
                    tokio::time::sleep(behaviour.delay).await;
                }
                let mut response = copy(&[0x000E, 0x000F, 0x0012]);
                let datagram = match behaviour.bad == Some(count) {
                    true => b"no section".to_vec(),
                    false => ecm(&given, behaviour.flag),
                };
                response.push((0x0015, datagram));
                (0x0202, response)
            }
            _ => continue,
        };
        stream.write_all(&message(head[0], answer.0, &answer.1)).await.ok()?;
    }
}

fn parameters(mut body: &[u8]) -> Vec<(u16, Vec<u8>)> {
    let mut found = Vec::new();
    while let [k1, k0, l1, l0, rest @ ..] = body {
        let length = usize::from(u16::from_be_bytes([*l1, *l0]));
        found.push((u16::from_be_bytes([*k1, *k0]), rest[..length].to_vec()));
        body = &rest[length..];
    }
    found
}

fn message(version: u8, kind: u16, parameters: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let mut body = Vec::new();
    for (kind, value) in parameters {
        body.extend(kind.to_be_bytes());
        body.extend((value.len() as u16).to_be_bytes());
        body.extend(value);
    }
    let mut message = vec![version];
    message.extend(kind.to_be_bytes());
    message.extend((body.len() as u16).to_be_bytes());
    message.extend(body);
    message
}

/// CP_number, then the CP_CW_combinations as they came.
fn ecm(given: &[(u16, Vec<u8>)], flag: u8) -> Vec<u8> {
    let number = &given.iter().find(|(kind, _)| *kind == 0x0012).unwrap().1;
    let mut body = number.clone();
    for (_, combination) in given.iter().filter(|(kind, _)| *kind == 0x0014) {
        body.extend(combination);
    }
    let mut section = vec![0x80 | number[1] & 1, 0x70, body.len() as u8];
    section.extend(body);
    if flag == 0 {
        return section;
    }
    // One packet, as generators of packets send it: PID 0x1FFF, stuffing behind the section.
    let mut packet = vec![0x47, 0x5F, 0xFF, 0x10, 0];
    packet.extend(section);
    packet.resize(188, 0xFF);
    packet
}
