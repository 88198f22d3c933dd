//! Makes the system call that its event names: parameters are call id, then the arguments. Wild
//! pointers and everything else that a test wants to try come in that way. Returns the status.
#![no_std]
#![no_main]

use portcullis_sdk::{Client, client, trap};

struct Puppet;

macro_rules! pull {
    ($id:expr, $args:expr, $($call:literal / $n:literal),*) => {
        match $id {
            $($call => {
                let mut args = [0_u32; $n];
                for (to, from) in args.iter_mut().zip($args) {
                    *to = *from;
                }
                trap::<$call, $n>(args)
            })*
            _ => (0, -1),
        }
    };
}

impl Client for Puppet {
    fn initialize() -> Self {
        Self
    }

    fn event(&mut self, id: u32, params: &[u32]) -> u32 {
        let Some((call, args)) = params.split_first() else { return 0 };
        if id == portcullis_sdk::abi::event::TERMINATE {
            return 0;
        }
        let (_, status) = pull!(
            *call,
            args,
            0x001 / 1,
            0x002 / 2,
            0x010 / 1,
            0x011 / 2,
            0x012 / 2,
            0x013 / 3,
            0x014 / 0,
            0x015 / 0,
            0x016 / 4,
            0x020 / 3,
            0x030 / 3,
            0x031 / 1,
            0x032 / 2,
            0x040 / 1,
            0x042 / 2,
            0x043 / 2,
            0x044 / 5,
            0x045 / 2,
            0x046 / 4,
            0x047 / 1,
            0x050 / 4,
            0x051 / 4,
            0x052 / 3,
            0x053 / 4,
            0x054 / 5,
            0x055 / 2,
            0x056 / 1,
            0x060 / 4,
            0x061 / 4,
            0x062 / 1,
            0x070 / 5,
            0x071 / 3,
            0x072 / 3,
            0x073 / 1,
            0x080 / 3,
            0x081 / 3,
            0x082 / 1,
            0x083 / 1,
            0x084 / 2,
            0x085 / 2,
            0x090 / 2,
            0x091 / 3,
            0x092 / 3,
            0x093 / 2,
            0x0A0 / 3,
            0x0A1 / 5
        );
        status as u32
    }
}

client!(Puppet);
