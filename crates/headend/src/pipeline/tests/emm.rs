//! EMMs on air.

use portcullis_ts::Packet;

use super::super::testing::*;
use super::super::*;
use super::receiver::*;

#[test]
fn emms_come_in_order_at_their_bandwidth() {
    let input = Made { nulls: true, shared_pmt_pid: false, seconds: 3 }.packets();
    let mut pipeline =
        Pipeline::new(PipelineConfig { emm_bandwidth_kbps: 50, ..config() }, random());
    let mut out = Played::default();
    while let Some(provision) = pipeline.poll_provision() {
        pipeline.handle_ecm(0, provision.cp_number, &fake_ecm(&provision)).unwrap();
    }
    pipeline.push(&input[..50]).unwrap();
    out.advance(&mut pipeline).unwrap();
    let sections: Vec<_> = (0..100).map(emm_section).collect();
    pipeline.push_emm(CaSystemId(0x7C30), sections.clone()).unwrap();
    for chunk in input[50..].chunks(200) {
        while let Some(provision) = pipeline.poll_provision() {
            pipeline.handle_ecm(0, provision.cp_number, &fake_ecm(&provision)).unwrap();
        }
        pipeline.push(chunk).unwrap();
        assert_eq!(out.advance(&mut pipeline).unwrap(), Progress::NeedInput);
    }
    let receiver = check_identity(
        ScramblingMode::Cissa,
        &[],
        &Played {
            packets: out
                .packets
                .iter()
                .filter(|p| Packet::new(p).pid() <= pid(1))
                .copied()
                .collect(),
            times: out.times.clone(),
        },
    );
    let descriptors = receiver.cat.unwrap().ca_descriptors();
    let emm = descriptors.iter().find(|d| d.ca_system_id == CaSystemId(0x7C30)).unwrap().pid;
    let mut reader = Reader::default();
    let found: Vec<_> =
        of(&out.packets, emm.get()).iter().flat_map(|p| reader.push(Packet::new(p))).collect();
    assert!(found.len() > 60, "{} sections", found.len());
    assert!(sections.starts_with(&found));
    // 2.9 s at 50 kbit/s are 96 packets; a run of 16 sections may go ahead.
    assert!(of(&out.packets, emm.get()).len() <= 96 + 12);
}
