//! See `targets::backup`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| monitor_backend::targets::backup(input));
