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

/// S-box 1 in 8 look-ups.
#[inline(always)]
fn s1<V: Register>([i0, i1, i2, i3, i4]: [V; 5]) -> [V; 2] {
    let t0 = V::lut::<0x28>(i0, i2, i4);
    let t1 = V::lut::<0x48>(i0, i1, i4);
    let t2 = V::lut::<0x96>(i1, i3, t0);
    let o0 = V::lut::<0xE2>(i2, t1, t2);
    let t4 = V::lut::<0x6C>(i0, i2, i3);
    let t5 = V::lut::<0x56>(i0, i3, i4);
    let t6 = V::lut::<0xC2>(i1, t4, t5);
    let o1 = V::lut::<0x95>(i3, i4, t6);
    [o0, o1]
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

/// S-box 3 in 10 look-ups.
#[inline(always)]
fn s3<V: Register>([i0, i1, i2, i3, i4]: [V; 5]) -> [V; 2] {
    let t0 = V::lut::<0x23>(i0, i2, i4);
    let t1 = V::lut::<0x8B>(i3, i4, t0);
    let o0 = V::lut::<0x69>(i0, i1, t1);
    let t3 = V::lut::<0x79>(i2, i3, i4);
    let t4 = V::lut::<0x58>(i2, i3, i4);
    let t5 = V::lut::<0xCA>(i1, t4, t3);
    let t6 = V::lut::<0xD2>(i2, i3, i4);
    let t7 = V::lut::<0x69>(i2, i3, i4);
    let t8 = V::lut::<0xCA>(i1, t7, t6);
    let o1 = V::lut::<0xCA>(i0, t8, t5);
    [o0, o1]
}

/// S-box 4 in 12 look-ups.
#[inline(always)]
fn s4<V: Register>([i0, i1, i2, i3, i4]: [V; 5]) -> [V; 2] {
    let t0 = V::lut::<0x4B>(i2, i3, i4);
    let t1 = V::lut::<0x99>(i2, i3, i4);
    let t2 = V::lut::<0xCA>(i1, t1, t0);
    let t3 = V::lut::<0xAD>(i2, i3, i4);
    let t4 = V::lut::<0x92>(i2, i3, i4);
    let t5 = V::lut::<0xCA>(i1, t4, t3);
    let o0 = V::lut::<0xCA>(i0, t5, t2);
    let t7 = V::lut::<0xCA>(i1, t4, t3);
    let t8 = V::lut::<0xB4>(i2, i3, i4);
    let t9 = V::lut::<0x66>(i2, i3, i4);
    let t10 = V::lut::<0xCA>(i1, t9, t8);
    let o1 = V::lut::<0xCA>(i0, t10, t7);
    [o0, o1]
}

/// S-box 5 in 14 look-ups.
#[inline(always)]
fn s5<V: Register>([i0, i1, i2, i3, i4]: [V; 5]) -> [V; 2] {
    let t0 = V::lut::<0x58>(i2, i3, i4);
    let t1 = V::lut::<0x9E>(i2, i3, i4);
    let t2 = V::lut::<0xCA>(i1, t1, t0);
    let t3 = V::lut::<0xE2>(i2, i3, i4);
    let t4 = V::lut::<0x35>(i2, i3, i4);
    let t5 = V::lut::<0xCA>(i1, t4, t3);
    let o0 = V::lut::<0xCA>(i0, t5, t2);
    let t7 = V::lut::<0xF1>(i2, i3, i4);
    let t8 = V::lut::<0x4C>(i2, i3, i4);
    let t9 = V::lut::<0xCA>(i1, t8, t7);
    let t10 = V::lut::<0x27>(i2, i3, i4);
    let t11 = V::lut::<0x9C>(i2, i3, i4);
    let t12 = V::lut::<0xCA>(i1, t11, t10);
    let o1 = V::lut::<0xCA>(i0, t12, t9);
    [o0, o1]
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
