//! The picture set: everything that may come before a login code, from easy to hopeless.

use crate::scene::Scene;

/// The code of a user of a PBX of version 22: what is scanned at most desks.
pub const LOGIN: &str = concat!(
    r#"{"v":220,"path":"/api/blobs/3f9c0a7be1d24586a9f2c7d01e5b8846","info":[{"pbx_domain":"pbx.example.com","#,
    r#""prefer":true},{"pub4":"203.0.113.20"},{"pri4":"192.168.1.20"}]}"#
);
/// The code of an older PBX, with all it may hold: many small modules.
pub const LEGACY: &str = concat!(
    r#"{"extension_number":"101","extension_password":"not-a-real-one","sip_domain":"pbx.example.com","#,
    r#""display_name":"Alice Example","email":"alice@example.com","voicemail_number":"999","#,
    r#""pbx_public_ip":"203.0.113.20","pbx_private_ip":"192.168.1.20","outbound_proxy":"sip.example.com","#,
    r#""transports":[{"protocol":"UDP","port":5060},{"protocol":"TLS","port":"5061"}]}"#
);
/// No code to sign in with, but few large modules.
pub const LINK: &str = "https://pbx.example.com/welcome";

/// All scenes, in the same order every time.
pub fn scenes() -> Vec<Scene> {
    let mut all = Vec::new();
    let login = Scene { text: Some(LOGIN), ..Scene::default() };
    let of = |text: &'static str| Scene { text: Some(text), ..Scene::default() };

    for text in [LOGIN, LEGACY, LINK] {
        for module in [2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 7.5] {
            all.push(Scene { kind: "size", module, readable: module >= 3.0, ..of(text) });
        }
    }
    for (text, module) in [(LOGIN, 5.0), (LINK, 7.0)] {
        for turn in (0..12).map(|n| n as f32 * 30.0 + 7.0) {
            all.push(Scene { kind: "turned", turn, module, ..of(text) });
        }
    }
    for axis in [0.0, 45.0, 90.0, 130.0] {
        for tilt in [20.0, 35.0, 45.0, 55.0, 65.0] {
            all.push(Scene {
                kind: "tilted",
                tilt: (tilt, axis),
                readable: tilt <= 45.0,
                module: 6.0,
                ..login.clone()
            });
        }
    }
    for turn in [20.0, 110.0, 200.0, 290.0] {
        for (tilt, readable) in [(25.0, true), (40.0, true), (55.0, false)] {
            all.push(Scene {
                kind: "tilted and turned",
                turn,
                tilt: (tilt, turn),
                readable,
                module: 5.5,
                ..login.clone()
            });
        }
    }
    for (text, module) in [(LOGIN, 4.0), (LOGIN, 6.0), (LINK, 8.0), (LEGACY, 5.0)] {
        for blur in [0.3, 0.4, 0.5, 0.65, 0.8] {
            all.push(Scene { kind: "out of focus", blur, module, readable: blur <= 0.5, ..of(text) });
        }
    }
    for module in [4.0, 6.0] {
        for direction in [0.0, 35.0, 90.0] {
            for way in [0.6, 1.0, 1.5, 2.0] {
                all.push(Scene {
                    kind: "moving",
                    motion: (way, direction),
                    module,
                    readable: way <= 1.0,
                    ..login.clone()
                });
            }
        }
    }
    for module in [3.5, 5.0, 6.5] {
        for noise in [10.0, 18.0, 26.0, 40.0, 60.0] {
            all.push(Scene { kind: "noisy", noise, module, readable: noise <= 26.0, ..login.clone() });
        }
    }
    for module in [4.0, 6.0] {
        for (paper, noise) in [(70.0, 3.0), (50.0, 4.0), (35.0, 4.0), (25.0, 4.0), (18.0, 5.0)] {
            let tones = (paper, paper * 0.2);
            all.push(Scene { kind: "dark", tones, noise, module, readable: paper >= 35.0, ..login.clone() });
        }
    }
    for module in [4.0, 6.0] {
        for (paper, ink) in
            [(160.0, 90.0), (160.0, 120.0), (200.0, 170.0), (120.0, 95.0), (150.0, 138.0), (90.0, 80.0)]
        {
            let readable = paper - ink >= 25.0;
            all.push(Scene { kind: "pale", tones: (paper, ink), module, readable, ..login.clone() });
        }
    }
    for (at, radius) in [
        ((0.05, 0.05), 0.12),
        ((0.25, 0.2), 0.25),
        ((0.3, -0.1), 0.18),
        ((-0.1, 0.3), 0.4),
        ((-0.3, -0.3), 0.3),
    ] {
        for strength in [60.0, 110.0, 200.0, 320.0] {
            // A reflection that whitens a corner's mark is one that a person moves away from.
            let readable = strength <= 110.0 || (strength <= 320.0 && radius <= 0.12);
            all.push(Scene { kind: "glare", glare: Some((at, radius, strength)), readable, ..login.clone() });
        }
    }
    for (period, angle) in [(1.7, 2.0), (2.05, 4.0), (2.3, 11.0), (2.6, 1.0), (3.2, 17.0), (4.1, 3.0)] {
        for depth in [0.3, 0.5, 0.7, 0.9] {
            let grid = Some((period, angle, depth));
            let readable = depth <= 0.5;
            all.push(Scene {
                kind: "screen",
                grid,
                tones: (250.0, 12.0),
                readable,
                turn: angle,
                ..login.clone()
            });
        }
    }
    for (text, module) in [(LOGIN, 4.0), (LOGIN, 6.0), (LINK, 6.0), (LEGACY, 5.0)] {
        for turn in [0.0, 33.0, 180.0] {
            all.push(Scene { kind: "inverted", inverted: true, turn, module, ..of(text) });
        }
    }
    for turn in [0.0, 45.0, 90.0] {
        for bend in [2.0, 1.2, 0.9, 0.7, 0.55] {
            // Bent about its diagonal, its one corner without a mark leaves the plane first.
            let readable = bend >= if turn == 45.0 { 2.0 } else { 0.9 };
            all.push(Scene { kind: "bent", bend: Some(bend), turn, module: 5.5, readable, ..login.clone() });
        }
    }
    for direction in [0.0, 50.0, 90.0, 210.0] {
        for left in [0.6, 0.4, 0.25, 0.12] {
            all.push(Scene {
                kind: "shadow",
                shadow: Some((left, direction)),
                readable: left >= 0.25,
                ..login.clone()
            });
        }
    }
    for module in [3.5, 5.0, 6.5] {
        for quality in [50, 25, 12, 5] {
            let readable = quality >= 25 || (quality >= 12 && module >= 5.0);
            all.push(Scene {
                kind: "JPEG",
                jpeg: Some(quality),
                module,
                readable,
                noise: 4.0,
                ..login.clone()
            });
        }
    }
    all.extend(hands());
    all.extend((0..10).map(nothing));
    all
}

/// A code as people hold it: a little of everything.
fn hands() -> impl Iterator<Item = Scene> {
    (0..24_u8).map(|n| {
        // Spread over 0 to 1, each in its own order.
        let spread = |step: u8| f32::from(n.wrapping_mul(step) % 24) / 23.0;
        Scene {
            kind: "by hand",
            text: Some(if n % 4 == 3 { LINK } else { LOGIN }),
            module: 3.5 + 2.5 * spread(5),
            at: (0.4 + 0.2 * spread(7), 0.45 + 0.1 * spread(11)),
            turn: -25.0 + 50.0 * spread(13),
            tilt: (30.0 * spread(17), 180.0 * spread(19)),
            tones: (110.0 + 120.0 * spread(23), 20.0 + 30.0 * spread(1)),
            shadow: (n % 3 == 0).then_some((0.5 + 0.3 * spread(7), 360.0 * spread(5))),
            glare: (n % 5 == 0).then_some(((0.1, 0.2), 0.3, 60.0 * spread(11))),
            blur: 0.2 + 0.15 * spread(13),
            motion: (0.5 * spread(17), 180.0 * spread(23)),
            noise: 3.0 + 7.0 * spread(19),
            jpeg: (n % 2 == 0).then_some(60),
            ..Scene::default()
        }
    })
}

/// A desk without a code.
fn nothing(n: u8) -> Scene {
    let n = f32::from(n);
    Scene { kind: "no code", tones: (60.0 + 18.0 * n, 20.0), noise: 2.0 + 4.0 * n, ..Scene::default() }
}
