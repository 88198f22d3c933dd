#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use portcullis_types::{CaSystemId, ChipId, GroupId, MemberIndex, ProductId, UnixSeconds};

use super::*;

const A: CaSystemId = CaSystemId(0x7A10);
const B: CaSystemId = CaSystemId(0x7B20);

fn new_store(dir: &tempfile::TempDir) -> Operator {
    let path = dir.path().join("portcullis.sqlite");
    Operator::create(&path, &OperatorData::defaults(vec![A, B])).unwrap()
}

fn again(store: &Operator) -> Operator {
    Operator::open(store.path()).unwrap()
}

fn t(seconds: u64) -> UnixSeconds {
    UnixSeconds(seconds)
}

#[test]
fn init_fills_services_products_and_refuses_a_second_time() {
    let dir = tempfile::tempdir().unwrap();
    let store = new_store(&dir);
    assert_eq!(store.services().unwrap().len(), 2);
    let all = store.product("all").unwrap();
    assert_eq!((all.id, all.members), (ProductId(3), vec![ProductId(1), ProductId(2)]));
    assert!(matches!(
        store.product("gold"),
        Err(StoreError::UnknownProduct { known, .. }) if known == "one, two, all"
    ));
    assert!(matches!(
        Operator::create(store.path(), &OperatorData::defaults(vec![A])),
        Err(StoreError::Exists(_))
    ));
    assert!(matches!(Operator::open(&dir.path().join("none")), Err(StoreError::Missing(_))));
    let mode = {
        use std::os::unix::fs::PermissionsExt;
        std::fs::metadata(store.path()).unwrap().permissions().mode()
    };
    assert_eq!(mode & 0o077, 0);
}

#[test]
fn a_newer_schema_is_not_touched() {
    let dir = tempfile::tempdir().unwrap();
    let store = new_store(&dir);
    store.db.pragma_update(None, "user_version", 99).unwrap();
    assert!(matches!(Operator::open(store.path()), Err(StoreError::NewerSchema { found: 99, .. })));
}

#[test]
fn boxes_get_a_place_in_every_ca_system() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = new_store(&dir);
    let first = store.add_terminal("one", ChipId(u64::MAX), A).unwrap();
    assert_eq!(store.add_terminal("one", ChipId(u64::MAX), A).unwrap(), first);
    store.add_terminal("two", ChipId(2), B).unwrap();
    for ca in [A, B] {
        let place = store.membership(&first, ca).unwrap().unwrap();
        assert_eq!((place.group_id, place.member_index), (GroupId(1), MemberIndex(0)));
        assert_eq!(store.members(ca).unwrap().len(), 2);
    }
    assert_eq!(store.terminal_by_chip(ChipId(u64::MAX)).unwrap(), first);
    assert!(matches!(
        store.add_terminal("one", ChipId(9), A),
        Err(StoreError::TerminalExists { .. })
    ));
    assert!(matches!(
        store.add_terminal("three", ChipId(2), A),
        Err(StoreError::TerminalExists { .. })
    ));
    // attack-test: T-27
    for bad in ["", "../x", "a/b", ".hidden", "a\0b", &"n".repeat(65)] {
        assert!(matches!(store.add_terminal(bad, ChipId(5), A), Err(StoreError::BadName(_))));
    }
}

#[test]
fn groups_hold_256_members() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = new_store(&dir);
    for i in 0..257u64 {
        store.add_terminal(&format!("box{i}"), ChipId(i), A).unwrap();
    }
    let place = |name: &str| {
        let terminal = store.terminal(name).unwrap();
        let place = store.membership(&terminal, A).unwrap().unwrap();
        (place.group_id.0, place.member_index.0)
    };
    assert_eq!(place("box255"), (1, 255));
    assert_eq!(place("box256"), (2, 0));
}

// spec-test: D-01
#[test]
fn entitlements_are_idempotent_and_leave_an_event() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = new_store(&dir);
    store.add_terminal("box1", ChipId(1), A).unwrap();
    let counter = |store: &Operator| store.terminal("box1").unwrap().emm_counter;
    let before = counter(&store);
    assert_eq!(store.entitle("box1", "all", t(10), t(20)).unwrap(), Change::Made);
    assert_eq!(store.entitle("box1", "all", t(10), t(20)).unwrap(), Change::None);
    assert_eq!(counter(&store), before + 1);
    assert_eq!(store.entitle("box1", "all", t(10), t(30)).unwrap(), Change::Made);
    let box1 = store.terminal("box1").unwrap();
    assert_eq!(store.entitlements(&box1).unwrap().len(), 1);
    let effective = store.effective_entitlements(&box1).unwrap();
    assert_eq!(effective.iter().map(|e| e.product.0).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(store.unentitle("box1", "all").unwrap(), Change::Made);
    assert_eq!(store.unentitle("box1", "all").unwrap(), Change::None);
    assert_eq!(counter(&store), before + 3);
    let kinds: Vec<_> = store.pending_events(A, 100).unwrap().iter().map(|e| e.kind).collect();
    use OutboxKind as K;
    assert_eq!(kinds, [K::TerminalAdded, K::Entitled, K::Entitled, K::Unentitled]);
}

#[test]
fn overlapping_periods_of_one_product_are_joined() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = new_store(&dir);
    let box1 = store.add_terminal("box1", ChipId(1), A).unwrap();
    store.entitle("box1", "one", t(10), t(20)).unwrap();
    store.entitle("box1", "all", t(15), t(40)).unwrap();
    let effective = store.effective_entitlements(&box1).unwrap();
    let one: Vec<_> = effective.iter().filter(|e| e.product == ProductId(1)).collect();
    assert_eq!(one.len(), 1);
    assert_eq!((one[0].from, one[0].until), (t(10), t(40)));
    store.entitle("box1", "all", t(50), t(60)).unwrap();
    assert_eq!(store.effective_entitlements(&box1).unwrap().len(), 4);
}

#[test]
fn what_cannot_be_sold_is_refused_and_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = new_store(&dir);
    store.add_terminal("box1", ChipId(1), A).unwrap();
    let before = store.pending_events(A, 100).unwrap();
    assert!(matches!(
        store.entitle("box9", "one", t(1), t(2)),
        Err(StoreError::UnknownTerminal(name)) if name == "box9"
    ));
    assert!(matches!(
        store.entitle("box1", "nine", t(1), t(2)),
        Err(StoreError::UnknownProduct { .. })
    ));
    assert!(matches!(
        store.entitle("box1", "one", t(2), t(2)),
        Err(StoreError::EmptyPeriod { .. })
    ));
    assert!(matches!(
        store.entitle("box1", "one", t(1), t(u64::MAX)),
        Err(StoreError::TimeOutOfRange(_))
    ));
    assert_eq!(store.pending_events(A, 100).unwrap(), before);
}

#[test]
fn one_emm_holds_all_rights_of_a_box() {
    let dir = tempfile::tempdir().unwrap();
    let mut data = OperatorData::defaults(vec![A]);
    data.products = (1..=40)
        .map(|id| Product {
            id: ProductId(id),
            name: format!("p{id}"),
            services: Vec::new(),
            members: Vec::new(),
        })
        .collect();
    let mut store = Operator::create(&dir.path().join("db"), &data).unwrap();
    let box1 = store.add_terminal("box1", ChipId(1), A).unwrap();
    for id in 1..=32 {
        store.entitle("box1", &format!("p{id}"), t(1), t(2)).unwrap();
    }
    assert!(matches!(
        store.entitle("box1", "p33", t(1), t(2)),
        Err(StoreError::TooManyEntitlements { count: 33, limit: 32, .. })
    ));
    assert_eq!(store.effective_entitlements(&box1).unwrap().len(), 32);
}

// A crash between row and event must leave neither. The crash is a transaction that is never
// committed: that is all that a power cut leaves of it.
// spec-test: D-H2
#[test]
fn a_right_and_its_event_live_or_die_together() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = new_store(&dir);
    let box1 = store.add_terminal("box1", ChipId(1), A).unwrap();
    let events = store.pending_events(A, 100).unwrap().len();
    {
        let tx = store.db.transaction().unwrap();
        let right = EntitlementRow { product: ProductId(1), from: t(1), until: t(2) };
        entitlements::entitle(&tx, &box1, right).unwrap();
        tx.rollback().unwrap();
    }
    let store = again(&store);
    assert!(store.entitlements(&box1).unwrap().is_empty());
    assert_eq!(store.pending_events(A, 100).unwrap().len(), events);
    assert_eq!(store.terminal("box1").unwrap().emm_counter, box1.emm_counter);
    // And an acknowledged one is there for whoever opens the file next.
    let mut store = store;
    store.entitle("box1", "one", t(1), t(2)).unwrap();
    let other = again(&store);
    assert_eq!(other.entitlements(&box1).unwrap().len(), 1);
    assert_eq!(other.pending_events(A, 100).unwrap().len(), events + 1);
    let synchronous: i64 =
        other.db.pragma_query_value(None, "synchronous", |row| row.get(0)).unwrap();
    let journal: String =
        other.db.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
    assert_eq!((synchronous, journal.as_str()), (2, "wal"));
}

#[test]
fn events_are_marked_for_each_ca_system() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = new_store(&dir);
    store.add_terminal("box1", ChipId(1), A).unwrap();
    store.entitle("box1", "one", t(1), t(2)).unwrap();
    let events = store.pending_events(A, 100).unwrap();
    store.mark_sent_through(A, events[0].id).unwrap();
    assert_eq!(store.pending_events(A, 100).unwrap(), events[1..]);
    assert_eq!(store.pending_events(B, 100).unwrap(), events);
    store.mark_sent_through(A, events[1].id).unwrap();
    store.mark_sent_through(A, events[0].id).unwrap();
    assert!(again(&store).pending_events(A, 100).unwrap().is_empty());
}

#[test]
fn another_process_sees_a_change_by_the_data_version() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = new_store(&dir);
    let watcher = again(&store);
    let before = watcher.data_version().unwrap();
    assert_eq!(watcher.data_version().unwrap(), before);
    store.add_terminal("box1", ChipId(1), A).unwrap();
    assert_ne!(watcher.data_version().unwrap(), before);
}

#[test]
fn a_revoked_box_leaves_its_groups_and_they_get_a_new_key() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = new_store(&dir);
    let gone = store.add_terminal("gone", ChipId(1), A).unwrap();
    let stays = store.add_terminal("stays", ChipId(2), A).unwrap();
    store.entitle("gone", "one", t(1), t(2)).unwrap();
    let before = store.membership(&stays, A).unwrap().unwrap();
    assert_eq!(store.revoke_terminal("gone").unwrap(), Change::Made);
    assert_eq!(store.revoke_terminal("gone").unwrap(), Change::None);
    let after = store.membership(&stays, A).unwrap().unwrap();
    assert_eq!(after.generation, before.generation + 1);
    assert!(store.terminal("stays").unwrap().emm_counter > stays.emm_counter);
    assert_eq!(store.membership(&gone, A).unwrap(), None);
    assert!(matches!(store.entitle("gone", "one", t(1), t(2)), Err(StoreError::Revoked(_))));
    // Its place in the bitmap is not given to anybody else.
    let new = store.add_terminal("new", ChipId(3), A).unwrap();
    let place = store.membership(&new, A).unwrap().unwrap();
    assert_eq!(place.member_index, MemberIndex(2));
}

// attack-test: F-07 F-21
#[test]
fn an_emptied_or_foreign_database_is_refused_and_not_filled() {
    let dir = tempfile::tempdir().unwrap();
    let store = new_store(&dir);
    let path = store.path().to_owned();
    drop(store);
    for ending in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{ending}", path.display()));
    }
    std::fs::write(&path, b"").unwrap();
    assert!(matches!(Operator::open(&path), Err(StoreError::Empty(_))));
    std::fs::write(&path, [b'x'; 8192]).unwrap();
    let error = Operator::open(&path).unwrap_err();
    assert!(error.to_string().contains("put back a backup"), "{error}");
}

// spec-test: X-26
#[test]
fn what_a_box_tells_twice_stands_once_and_the_oldest_give_way() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = new_store(&dir);
    let mine = store.add_terminal("one", ChipId(1), A).unwrap();
    let other = store.add_terminal("two", ChipId(2), A).unwrap();
    let report =
        |number, at| ViolationReport { number, at: t(at), record: format!("{{\"n\":{number}}}") };
    store.keep_violations(ChipId(1), &[report(0, 10), report(1, 10)]).unwrap();
    store.keep_violations(ChipId(1), &[report(1, 10), report(2, 20)]).unwrap();
    let all = again(&store).violations(&mine).unwrap();
    assert_eq!(all, [report(0, 10), report(1, 10), report(2, 20)]);
    assert_eq!(store.violations(&other).unwrap(), []);
    assert!(matches!(
        store.keep_violations(ChipId(3), &[report(0, 1)]),
        Err(StoreError::UnknownChip(ChipId(3)))
    ));
    let many: Vec<_> = (3..1100).map(|number| report(number, 30)).collect();
    store.keep_violations(ChipId(1), &many).unwrap();
    let all = store.violations(&mine).unwrap();
    assert_eq!((all.len(), all[0].number, all[1023].number), (1024, 76, 1099));
}

#[test]
fn a_store_of_the_first_schema_is_brought_up() {
    let dir = tempfile::tempdir().unwrap();
    let store = new_store(&dir);
    store.db.execute_batch("DROP TABLE violations; PRAGMA user_version = 1").unwrap();
    let mut store = again(&store);
    let terminal = store.add_terminal("one", ChipId(1), A).unwrap();
    assert_eq!(store.violations(&terminal).unwrap(), []);
}
