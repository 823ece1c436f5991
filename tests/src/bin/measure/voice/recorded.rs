//! Figures of a phone that cannot be had here: pjsua of August 2026 (echo cancellation and voice detection off, FEC on),
//! same softphone at both ends, other speech, other losses, a busy host of two cores. To be beaten, not to be compared
//! to the second digit.

/// Cell, PESQ-WB and ViSQOL with Opus, then with PCMU.
pub const PJSUA: [(&str, [f64; 2], [f64; 2]); 11] = [
    ("clean", [4.29, 4.18], [3.44, 3.57]),
    ("loss1", [4.04, 4.27], [3.11, 3.62]),
    ("loss3", [3.34, 4.19], [2.74, 3.38]),
    ("loss5", [3.61, 4.00], [2.82, 3.58]),
    ("loss10", [2.82, 4.02], [2.28, 3.42]),
    ("loss20", [2.79, 4.02], [1.78, 3.11]),
    ("burst5x4", [3.02, 3.93], [2.67, 3.42]),
    ("burst10x4", [2.28, 3.63], [2.05, 3.07]),
    ("burst20x4", [1.66, 3.25], [1.61, 2.95]),
    ("jitter20", [4.32, 4.33], [3.81, 3.70]),
    ("jitter50", [4.25, 4.31], [3.46, 3.57]),
];
