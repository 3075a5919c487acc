from finscribe_assets_tests.torch_threads import one_torch_thread  # noqa: F401, a fixture
