//! `kpulse record`: writes what the API server says into a recording that `kpulse replay` plays.
