"""Cases, post-audit, sanctions and disputes will stand here; today the floor is empty."""
