"""Names that stages cannot have, because they become modules of that name in PyTorch."""

from __future__ import annotations

import keyword

# The attributes of torch.nn.Module, torch.fx.GraphModule and our NetworkModule; a test compares the list with them.
ATTRIBUTES = frozenset(
    """
    add_module add_submodule apply bfloat16 buffers call_super_init children classes code compile cpu cuda default_cfg
    delete_all_unused_submodules delete_submodule double dump_patches eval extra_repr feature_extractor feature_info
    features float forward forward_features forward_head freeze get_buffer get_classifier
    get_extra_state get_parameter get_submodule graph half ipu load_state_dict loaded meta modules mtia named_buffers
    named_children named_modules named_parameters network num_classes num_features parameters
    pretrained_cfg print_readable recall recompile
    register_backward_hook
    register_buffer register_forward_hook register_forward_pre_hook register_full_backward_hook
    register_full_backward_pre_hook register_load_state_dict_post_hook register_load_state_dict_pre_hook
    register_module register_parameter register_state_dict_post_hook register_state_dict_pre_hook remember
    requires_grad_ reset_classifier
    set_extra_state set_submodule shape_env share_memory stages state_dict
    to to_empty to_folder train training type unfreeze
    xpu
    zero_grad
    """.split()  # noqa: SIM905
)


def is_taken(name: str) -> bool:
    """Whether Python or PyTorch already has a meaning for a module called ``name``."""
    return name in ATTRIBUTES or keyword.iskeyword(name)
