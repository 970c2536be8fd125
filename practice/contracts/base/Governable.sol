// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

/// One governance address with one-step hand-over; `owner()` is the same address. `governance` stays in storage slot 0.
abstract contract Governable {
    address public governance;

    event GovernanceUpdated(address indexed newGovernance);
    event OwnershipTransferred(address indexed previousOwner, address indexed newOwner);

    error NotGovernance();
    error ZeroAddress();

    modifier onlyGovernance() {
        if (msg.sender != governance) revert NotGovernance();
        _;
    }

    constructor(address initialGovernance) {
        _changeGovernance(initialGovernance);
    }

    function owner() public view virtual returns (address) {
        return governance;
    }

    function setGovernance(address newGovernance) public onlyGovernance {
        _changeGovernance(newGovernance);
    }

    function transferOwnership(address newOwner) public virtual onlyGovernance {
        _changeGovernance(newOwner);
    }

    function _changeGovernance(address newGovernance) private {
        if (newGovernance == address(0)) revert ZeroAddress();
        emit OwnershipTransferred(governance, newGovernance);
        emit GovernanceUpdated(newGovernance);
        governance = newGovernance;
    }
}
