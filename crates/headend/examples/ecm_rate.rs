//! How many ECMs a second: `cargo run --release -p portcullis-headend --example ecm_rate -- D`.
//!
//! Starts the ECM generator of a data directory on loopback and drives it with raw SimulCrypt:
//! 8 connections of 10 streams, one CW_provision outstanding on each. The figure includes the
//! client, which runs on the same processors.

use std::error::Error;
use std::time::{Duration, Instant};

use portcullis_headend::ecmg::{EcmgSystems, serve};
use portcullis_headend::layout::DataDir;
use portcullis_messages::{AccessCriteria, UsageRights};
use portcullis_simulcrypt::scs::{ClientChannel, ClientConfig, ClientEvent, Provision};
use portcullis_simulcrypt::{FrameReader, MAX_MESSAGE, Time};
use portcullis_types::{
    CpNumber, Deciseconds, EcmChannelId, EcmId, EcmStreamId, ProductId, SuperCasId,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let data = std::env::args().nth(1).ok_or("usage: ecm_rate DATA_DIRECTORY")?;
    let systems = EcmgSystems::open(&DataDir::new(data), None)?;
    let id = systems.super_cas_ids().next().ok_or("no CA system")?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(serve(listener, systems));
    let mut connections = Vec::new();
    for channel in 0..CONNECTIONS {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        connections.push(tokio::spawn(drive(stream, id, channel)));
    }
    let (mut count, mut worst) = (0, Vec::new());
    for connection in connections {
        let (answers, mut times) = connection.await??;
        count += answers;
        worst.append(&mut times);
    }
    worst.sort_unstable();
    let at = |share: usize| worst.get(worst.len() * share / 1000).copied().unwrap_or_default();
    println!(
        "{:.0} ECM/s, p50 {:?}, p99 {:?}",
        f64::from(count) / SPAN.as_secs_f64(),
        at(500),
        at(990)
    );
    Ok(())
}

async fn drive(
    mut stream: TcpStream,
    id: SuperCasId,
    channel: u16,
) -> Result<(u32, Vec<Duration>), Failure> {
    let criteria =
        AccessCriteria { product: ProductId(1), usage_rights: UsageRights::default() }.encode();
    let config = ClientConfig::new(id, EcmChannelId(channel));
    let mut client = ClientChannel::connected(config, Time(0));
    let mut reader = FrameReader::new(MAX_MESSAGE);
    let (mut out, mut received) = (Vec::new(), vec![0; 65_536]);
    let mut sent = [Instant::now(); STREAMS as usize];
    let (mut count, mut times) = (0, Vec::new());
    let start = Instant::now();
    while start.elapsed() < SPAN {
        if client.poll_transmit(&mut out) {
            stream.write_all(&out).await?;
        }
        let len = stream.read(&mut received).await?;
        reader.extend(received.get(..len).unwrap_or(&[]));
        while let Some(frame) = reader.next_frame()? {
            client.handle(frame, Time(0));
        }
        while let Some(event) = client.poll_event() {
            let (id, next) = match event {
                ClientEvent::ChannelOpen(_) => {
                    for stream in 0..STREAMS {
                        let ecm_id = EcmId(channel * STREAMS + stream);
                        client.open_stream(
                            EcmStreamId(stream),
                            ecm_id,
                            Deciseconds(100),
                            Time(0),
                        )?;
                    }
                    continue;
                }
                ClientEvent::StreamOpen(id) => (id, CpNumber(0)),
                ClientEvent::Ecm { stream, cp_number, .. } => {
                    count += 1;
                    if let Some(at) = sent.get(usize::from(stream.0)) {
                        times.push(at.elapsed());
                    }
                    (stream, cp_number.next())
                }
                other => return Err(format!("{other:?}").into()),
            };
            let words = [(next, &[0x11u8; 16][..]), (next.next(), &[0x22; 16])];
            let provision = Provision {
                cp_number: next,
                cp_duration: None,
                control_words: &words,
                access_criteria: &criteria,
            };
            client.provision(id, &provision, Time(0))?;
            if let Some(at) = sent.get_mut(usize::from(id.0)) {
                *at = Instant::now();
            }
        }
    }
    Ok((count, times))
}

const CONNECTIONS: u16 = 8;
const STREAMS: u16 = 10;
const SPAN: Duration = Duration::from_secs(3);
