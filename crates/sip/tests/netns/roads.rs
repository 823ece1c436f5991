//! Other networks, and tunnels that come and go.

use std::time::Instant;

use sip::Transport;

use crate::pbx::Pbx;
use crate::phone::Phone;
use crate::world::World;

#[test]
fn another_network_or_a_tunnel_is_registered_from_soon() {
    World::run_case("roads", "roads::roads");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by another_network_or_a_tunnel_is_registered_from_soon"]
async fn roads() {
    let world = World::here();
    let mut pbx = Pbx::start(600).await;
    let mut phones = Vec::new();
    for (user, transport) in [("101", Transport::Udp), ("102", Transport::Tcp)] {
        phones.push((user, Phone::registered(user, transport).await));
        pbx.until_bound(user, "10.77.1.2").await;
    }
    let steps: [(&str, &str, &dyn Fn()); 5] = [
        ("another network", "10.77.2.2", &|| {
            world.down(0);
            world.up(1);
            world.ip("p", "route add default via 10.77.2.1");
        }),
        ("a cable beside the wireless network", "10.77.1.2", &|| {
            world.up(0);
            world.ip("p", "route add default via 10.77.1.1 metric 1");
            world.ip("p", "route del default via 10.77.2.1");
            world.ip("p", "route add default via 10.77.2.1 metric 2");
        }),
        ("a tunnel up", "10.77.3.2", &|| {
            world.up(2);
            world.ip("p", "route add 10.77.9.0/24 via 10.77.3.1");
        }),
        ("the tunnel down", "10.77.1.2", &|| world.down(2)),
        ("the cable pulled", "10.77.2.2", &|| world.ip("r", "link set r0 down")),
    ];
    for (name, address, step) in steps {
        step();
        if name == "the cable pulled" {
            // Linux goes on routing to a dead link unless somebody, such as NetworkManager, takes the route away.
            world.down(0);
        }
        let begin = Instant::now();
        for (user, phone) in &mut phones {
            pbx.until_bound(user, address).await;
            let bound = begin.elapsed();
            pbx.until_reached(user).await;
            println!("{name}: {user} is bound after {bound:?}, reached after {:?}", begin.elapsed());
            assert_eq!(phone.agent.local_ip().to_string(), address);
            phone.said_meanwhile();
        }
    }
    for (_, phone) in phones {
        phone.agent.stop().await;
    }
}
