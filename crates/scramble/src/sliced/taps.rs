//! Which bits of the window go into the S-boxes of the stream cipher, and where their outputs go.
//!
//! Trust domain: headend and chip. Said once here, for all ways of computing the S-boxes.

use super::{Register, Substituted, Window};

/// Five bits for each of the seven S-boxes, from the window as it was one clock ago.
#[inline(always)]
pub(super) fn inputs<V: Register>(a: &Window<V>) -> [[V; 5]; 7] {
    [
        [a[5][0], a[2][2], a[7][1], a[8][3], a[10][0]],
        [a[3][1], a[4][2], a[7][3], a[8][0], a[10][1]],
        [a[2][3], a[3][0], a[6][1], a[6][3], a[7][2]],
        [a[4][3], a[2][1], a[3][3], a[5][2], a[9][0]],
        [a[6][2], a[5][3], a[7][0], a[9][1], a[10][2]],
        [a[4][1], a[5][1], a[6][0], a[8][2], a[10][3]],
        [a[3][2], a[4][0], a[8][1], a[9][2], a[9][3]],
    ]
}

/// Two bits from each, low and high.
#[inline(always)]
pub(super) fn outputs<V: Register>(boxes: [[V; 2]; 7]) -> Substituted<V> {
    let [
        [low1, high1],
        [low2, high2],
        [low3, high3],
        [low4, high4],
        [low5, high5],
        [low6, high6],
        [low7, high7],
    ] = boxes;
    Substituted {
        x: [high1, high2, low3, low4],
        y: [high3, high4, low5, low6],
        z: [high5, high6, low1, low2],
        p: high7,
        q: low7,
    }
}
