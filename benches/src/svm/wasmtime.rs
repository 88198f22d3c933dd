//! wasmtime with fuel: Cranelift's machine code, and Pulley, its interpreter.

use wasmtime::{Config, Engine, Linker, Module, OptLevel, Store, TypedFunc};

use super::{BUDGET, Machine, answer};

pub(super) struct Wasmtime {
    engine: Engine,
    wasm: Vec<u8>,
    store: Store<()>,
    run: TypedFunc<(u32, u32), u32>,
}

impl Wasmtime {
    /// `target`: none for this processor, `pulley64` for the interpreter.
    pub(super) fn start(wasm: &[u8], target: Option<&str>) -> Option<Self> {
        let mut config = Config::new();
        config.consume_fuel(true).cranelift_opt_level(OptLevel::Speed);
        if let Some(target) = target {
            config.target(target).ok()?;
        }
        let engine = Engine::new(&config).ok()?;
        let module = Module::new(&engine, wasm).ok()?;
        let mut store = Store::new(&engine, ());
        store.set_fuel(BUDGET).ok()?;
        let mut linker = Linker::new(&engine);
        linker.func_wrap("env", "token_info", answer).ok()?;
        let instance = linker.instantiate(&mut store, &module).ok()?;
        let run = instance.get_typed_func(&mut store, "run").ok()?;
        Some(Self { engine, wasm: wasm.to_vec(), store, run })
    }
}

impl Machine for Wasmtime {
    fn event(&mut self, what: u32, rounds: u32) -> Option<u32> {
        self.store.set_fuel(BUDGET).ok()?;
        self.run.call(&mut self.store, (what, rounds)).ok()
    }

    fn load(&self) -> Option<()> {
        Module::new(&self.engine, &self.wasm).ok().map(|module| drop(std::hint::black_box(module)))
    }
}
