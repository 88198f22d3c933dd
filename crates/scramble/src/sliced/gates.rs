//! The seven S-boxes of the stream cipher as gates of two inputs.
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

/// S-box 1 in 29 gates.
#[inline(always)]
fn s1<V: Register>([i0, i1, i2, i3, i4]: [V; 5]) -> [V; 2] {
    let t0 = i3.xor(i1);
    let t1 = i1.xor(i2);
    let t2 = i3.and(i1);
    let t3 = t1.xor(t2);
    let t4 = i4.and(t3);
    let t5 = t0.xor(t4);
    let t6 = i1.and_not(i2);
    let t7 = t6.xor(t2);
    let t8 = i1.and(i2);
    let t9 = t8.not();
    let t10 = i4.and(t9);
    let t11 = t7.xor(t10);
    let t12 = i0.and(t11);
    let t13 = t5.xor(t12);
    let t14 = i2.not();
    let t15 = t14.xor(t6);
    let t16 = i3.and(t15);
    let t17 = t9.xor(t16);
    let t18 = t15.xor(i3);
    let t19 = i4.and(t18);
    let t20 = t17.xor(t19);
    let t21 = t15.not();
    let t22 = i3.and(t21);
    let t23 = t15.xor(t22);
    let t24 = i3.and_not(i1);
    let t25 = i4.and(t24);
    let t26 = t23.xor(t25);
    let t27 = i0.and(t26);
    let t28 = t20.xor(t27);
    [t13, t28]
}

/// S-box 2 in 24 gates.
#[inline(always)]
fn s2<V: Register>([i0, i1, i2, i3, i4]: [V; 5]) -> [V; 2] {
    let t0 = i0.and(i1);
    let t1 = t0.not();
    let t2 = i0.not();
    let t3 = i2.and(t2);
    let t4 = t1.xor(t3);
    let t5 = t4.xor(i3);
    let t6 = i1.not();
    let t7 = t6.xor(t0);
    let t8 = i2.and(t7);
    let t9 = i0.or(i1);
    let t10 = i3.and(t9);
    let t11 = t8.xor(t10);
    let t12 = i4.and(t11);
    let t13 = t5.xor(t12);
    let t14 = i2.and(t0);
    let t15 = t6.xor(t14);
    let t16 = i3.and(t4);
    let t17 = t15.xor(t16);
    let t18 = t1.xor(i2);
    let t19 = t18.not();
    let t20 = i3.and(t19);
    let t21 = t18.xor(t20);
    let t22 = i4.and(t21);
    let t23 = t17.xor(t22);
    [t13, t23]
}

/// S-box 3 in 23 gates.
#[inline(always)]
fn s3<V: Register>([i0, i1, i2, i3, i4]: [V; 5]) -> [V; 2] {
    let t0 = i3.and_not(i4);
    let t1 = i2.and(i4);
    let t2 = t0.xor(t1);
    let t3 = t2.xor(i1);
    let t4 = t3.xor(i0);
    let t5 = i3.not();
    let t6 = t5.xor(i4);
    let t7 = i4.or(i3);
    let t8 = i2.and(t7);
    let t9 = t6.xor(t8);
    let t10 = t7.not();
    let t11 = i2.and(t5);
    let t12 = t10.xor(t11);
    let t13 = i1.and(t12);
    let t14 = t9.xor(t13);
    let t15 = t0.not();
    let t16 = i2.and(t10);
    let t17 = t15.xor(t16);
    let t18 = i4.xor(t11);
    let t19 = i1.and(t18);
    let t20 = t17.xor(t19);
    let t21 = i0.and(t20);
    let t22 = t14.xor(t21);
    [t4, t22]
}

/// S-box 4 in 27 gates.
#[inline(always)]
fn s4<V: Register>([i0, i1, i2, i3, i4]: [V; 5]) -> [V; 2] {
    let t0 = i1.and(i4);
    let t1 = t0.not();
    let t2 = i1.not();
    let t3 = i2.and(t2);
    let t4 = t1.xor(t3);
    let t5 = i4.not();
    let t6 = t5.xor(t0);
    let t7 = i3.and(t6);
    let t8 = t4.xor(t7);
    let t9 = i1.or(i4);
    let t10 = i2.and(i1);
    let t11 = t9.xor(t10);
    let t12 = i1.xor(i4);
    let t13 = i2.and(t12);
    let t14 = t1.xor(t13);
    let t15 = i3.and(t14);
    let t16 = t11.xor(t15);
    let t17 = i0.and(t16);
    let t18 = t8.xor(t17);
    let t19 = t12.not();
    let t20 = t19.xor(i2);
    let t21 = i4.xor(t13);
    let t22 = i3.and(t21);
    let t23 = t20.xor(t22);
    let t24 = t16.not();
    let t25 = i0.and(t24);
    let t26 = t23.xor(t25);
    [t18, t26]
}

/// S-box 5 in 31 gates.
#[inline(always)]
fn s5<V: Register>([i0, i1, i2, i3, i4]: [V; 5]) -> [V; 2] {
    let t0 = i3.and(i4);
    let t1 = i3.xor(i4);
    let t2 = i1.and(t1);
    let t3 = t0.xor(t2);
    let t4 = i4.not();
    let t5 = t4.xor(t0);
    let t6 = i1.and(i4);
    let t7 = t5.xor(t6);
    let t8 = i2.and(t7);
    let t9 = t3.xor(t8);
    let t10 = i3.and(t4);
    let t11 = t4.xor(t10);
    let t12 = i1.and(t11);
    let t13 = i4.xor(t12);
    let t14 = i2.and(t11);
    let t15 = t13.xor(t14);
    let t16 = i0.and(t15);
    let t17 = t9.xor(t16);
    let t18 = i1.and(t5);
    let t19 = t11.xor(t18);
    let t20 = t11.not();
    let t21 = t20.xor(t2);
    let t22 = i2.and(t21);
    let t23 = t19.xor(t22);
    let t24 = t1.xor(t2);
    let t25 = t10.not();
    let t26 = t25.xor(t2);
    let t27 = i2.and(t26);
    let t28 = t24.xor(t27);
    let t29 = i0.and(t28);
    let t30 = t23.xor(t29);
    [t17, t30]
}

/// S-box 6 in 22 gates.
#[inline(always)]
fn s6<V: Register>([i0, i1, i2, i3, i4]: [V; 5]) -> [V; 2] {
    let t0 = i1.not();
    let t1 = i2.and(t0);
    let t2 = i4.xor(t1);
    let t3 = t0.xor(i4);
    let t4 = i2.and(t3);
    let t5 = i1.xor(t4);
    let t6 = i4.and_not(i1);
    let t7 = t6.xor(t4);
    let t8 = i0.and(t7);
    let t9 = t5.xor(t8);
    let t10 = i3.and(t9);
    let t11 = t2.xor(t10);
    let t12 = i4.or(i1);
    let t13 = i2.and(t12);
    let t14 = i4.and(i1);
    let t15 = t14.not();
    let t16 = i0.and(t15);
    let t17 = t13.xor(t16);
    let t18 = i0.and(i4);
    let t19 = t15.xor(t18);
    let t20 = i3.and(t19);
    let t21 = t17.xor(t20);
    [t11, t21]
}

/// S-box 7 in 22 gates.
#[inline(always)]
fn s7<V: Register>([i0, i1, i2, i3, i4]: [V; 5]) -> [V; 2] {
    let t0 = i2.xor(i4);
    let t1 = i2.or(i4);
    let t2 = i3.and(t1);
    let t3 = t0.xor(t2);
    let t4 = t3.xor(i0);
    let t5 = i2.not();
    let t6 = i3.and_not(i4);
    let t7 = i0.and(t6);
    let t8 = t5.xor(t7);
    let t9 = i1.and(t8);
    let t10 = t4.xor(t9);
    let t12 = t0.xor(t6);
    let t13 = i0.and(t3);
    let t14 = t12.xor(t13);
    let t15 = i3.and(i4);
    let t16 = t15.not();
    let t17 = i3.and(t0);
    let t18 = i0.and(t17);
    let t19 = t16.xor(t18);
    let t20 = i1.and(t19);
    let t21 = t14.xor(t20);
    [t10, t21]
}
