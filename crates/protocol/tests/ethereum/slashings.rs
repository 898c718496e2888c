//! Both slashings, in either order.
