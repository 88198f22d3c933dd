//! The seven S-boxes of the stream cipher as look-ups of three inputs, for processors that have them.
//!
//! Trust domain: headend and chip. Each S-box takes five bits to two. The networks were found by a
//! search of our own; the tests of this folder go through all 32 inputs of each.

use super::taps::{inputs, outputs};
use super::{Register, Substituted, Window};

/// All seven S-boxes on the window as it was one clock ago.
#[inline(always)]
pub(super) fn substitute<V: Register>(a: &Window<V>) -> Substituted<V> {
    let [i1, i2, i3, i4, i5, i6, i7] = inputs(a);
    outputs([s1(i1), s2(i2), s3(i3), s4(i4), s5(i5), s6(i6), s7(i7)])
}

/// S-box 1 in 7 look-ups.
#[inline(always)]
fn s1<V: Register>([i0, i1, i2, i3, i4]: [V; 5]) -> [V; 2] {
    let t0 = V::lut::<0x78>(i3, i2, i0);
    let t1 = V::lut::<0x39>(t0, i2, i1);
    let t2 = V::lut::<0x8E>(t1, i4, i0);
    let t3 = V::lut::<0x96>(t0, i1, t2);
    let t4 = V::lut::<0x31>(i4, t3, t1);
    let t5 = V::lut::<0xC1>(t3, t1, i3);
    let t6 = V::lut::<0xA9>(t4, i0, t5);
    [t3, t6]
}

/// S-box 2 in 8 look-ups.
#[inline(always)]
fn s2<V: Register>([i0, i1, i2, i3, i4]: [V; 5]) -> [V; 2] {
    let t0 = V::lut::<0x6A>(i0, i1, i3);
    let t1 = V::lut::<0x78>(i2, i3, i4);
    let t2 = V::lut::<0x52>(i0, i1, i4);
    let o0 = V::lut::<0x63>(t1, t0, t2);
    let t4 = V::lut::<0x4A>(i0, i1, i2);
    let t5 = V::lut::<0x40>(i0, i2, i3);
    let t6 = V::lut::<0x94>(i3, i4, t4);
    let o1 = V::lut::<0x6D>(i1, t5, t6);
    [o0, o1]
}

/// S-box 3 in 6 look-ups.
#[inline(always)]
fn s3<V: Register>([i0, i1, i2, i3, i4]: [V; 5]) -> [V; 2] {
    let t0 = V::lut::<0x26>(i4, i1, i0);
    let t1 = V::lut::<0x49>(t0, i4, i3);
    let t2 = V::lut::<0xAC>(i4, i3, i2);
    let t3 = V::lut::<0x96>(i1, i0, t2);
    let t4 = V::lut::<0x01>(t3, i3, i0);
    let t5 = V::lut::<0xB4>(t1, i2, t4);
    [t3, t5]
}

/// S-box 4 in 8 look-ups.
#[inline(always)]
fn s4<V: Register>([i0, i1, i2, i3, i4]: [V; 5]) -> [V; 2] {
    let t0 = V::lut::<0xF4>(i3, i2, i0);
    let t1 = V::lut::<0x4A>(t0, i2, i1);
    let t2 = V::lut::<0x61>(i4, i2, i1);
    let t3 = V::lut::<0x24>(t2, i3, i0);
    let t4 = V::lut::<0xC9>(t1, i4, t3);
    let t5 = V::lut::<0xBC>(i3, i2, i1);
    let t6 = V::lut::<0xCB>(t5, t4, i4);
    let t7 = V::lut::<0x96>(t2, i0, t6);
    [t7, t4]
}

/// S-box 5 in 9 look-ups.
#[inline(always)]
fn s5<V: Register>([i0, i1, i2, i3, i4]: [V; 5]) -> [V; 2] {
    let t0 = V::lut::<0xF6>(i4, i2, i1);
    let t1 = V::lut::<0x73>(t0, i4, i2);
    let t2 = V::lut::<0x6D>(i4, i3, i0);
    let t3 = V::lut::<0xDB>(t1, i3, i1);
    let t4 = V::lut::<0x95>(t2, t0, t3);
    let t5 = V::lut::<0x4C>(t4, t3, i2);
    let t6 = V::lut::<0xBA>(t5, t2, i3);
    let t7 = V::lut::<0xB5>(t0, i2, i0);
    let t8 = V::lut::<0x97>(t6, i1, t7);
    [t4, t8]
}

/// S-box 6 in 8 look-ups.
#[inline(always)]
fn s6<V: Register>([i0, i1, i2, i3, i4]: [V; 5]) -> [V; 2] {
    let t0 = V::lut::<0x3A>(i0, i1, i2);
    let t1 = V::lut::<0x6E>(i0, i2, i3);
    let t2 = V::lut::<0xBC>(i3, i4, t0);
    let o0 = V::lut::<0xA6>(i1, t1, t2);
    let t4 = V::lut::<0x2B>(i0, i1, i3);
    let t5 = V::lut::<0x3D>(i1, i2, i4);
    let t6 = V::lut::<0xB8>(i0, i4, t4);
    let o1 = V::lut::<0x69>(i3, t5, t6);
    [o0, o1]
}

/// S-box 7 in 8 look-ups.
#[inline(always)]
fn s7<V: Register>([i0, i1, i2, i3, i4]: [V; 5]) -> [V; 2] {
    let t0 = V::lut::<0x6A>(i0, i1, i2);
    let t1 = V::lut::<0x56>(i1, i2, i4);
    let t2 = V::lut::<0x1F>(i3, i4, t0);
    let o0 = V::lut::<0x69>(i0, t1, t2);
    let t4 = V::lut::<0x35>(i0, i2, i4);
    let t5 = V::lut::<0x68>(i0, i1, i4);
    let t6 = V::lut::<0x4A>(i3, t5, t4);
    let o1 = V::lut::<0x69>(i1, i2, t6);
    [o0, o1]
}
