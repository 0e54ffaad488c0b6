//! See `targets::journal`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| monitor_backend::targets::journal(input));
