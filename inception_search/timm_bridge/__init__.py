"""Networks of this package as models of timm: ``timm.create_model`` builds them by name."""
