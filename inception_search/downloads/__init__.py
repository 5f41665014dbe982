"""Downloads of published files and archives: resumed, verified before use, and put in place whole or not at all."""
