//! wasmi with fuel: an interpreter of WebAssembly. Eager translation, so that a load is a whole
//! load; the profile of the workspace compiles it in one unit, as its dispatch needs.

use wasmi::{CompilationMode, Config, Engine, Linker, Module, Store, TypedFunc};

use super::{BUDGET, Machine, answer};

pub(super) struct Wasmi {
    engine: Engine,
    wasm: Vec<u8>,
    store: Store<()>,
    run: TypedFunc<(u32, u32), u32>,
}

impl Wasmi {
    pub(super) fn start(wasm: &[u8]) -> Option<Self> {
        let mut config = Config::default();
        config.consume_fuel(true).compilation_mode(CompilationMode::Eager);
        let engine = Engine::new(&config);
        let module = Module::new(&engine, wasm).ok()?;
        let mut store = Store::new(&engine, ());
        store.set_fuel(BUDGET).ok()?;
        let mut linker = Linker::new(&engine);
        linker.func_wrap("env", "token_info", answer).ok()?;
        let instance = linker.instantiate_and_start(&mut store, &module).ok()?;
        let run = instance.get_typed_func(&store, "run").ok()?;
        Some(Self { engine, wasm: wasm.to_vec(), store, run })
    }
}

impl Machine for Wasmi {
    fn event(&mut self, what: u32, rounds: u32) -> Option<u32> {
        self.store.set_fuel(BUDGET).ok()?;
        self.run.call(&mut self.store, (what, rounds)).ok()
    }

    fn load(&self) -> Option<()> {
        Module::new(&self.engine, &self.wasm).ok().map(|module| drop(std::hint::black_box(module)))
    }
}
